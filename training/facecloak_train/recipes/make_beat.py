"""Give a perturbation a part that changes with time: classifiers of micro-expressions stumble, too.

    facecloak-train beat --perturbation perturbations/default.safetensors --data runs/synthetic-many
        --weights runs/stcnn-all/all.safetensors runs/learnet-all/all.safetensors
        --exports models/stcnn.onnx models/learnet.onnx
        --unseen runs/synthetic-unseen --out perturbations/joint.safetensors
        --beat-steps 600 --beat-step 2

The pattern and the displacement of the file stay as they are; a circle of frames is added, and the
sum is kept within the budget. It is made from the clips of `--data` alone, and what it does to
people it never saw is logged and put into the header. All members of a bank have the same circle,
which is made beside the member for every face. A quarter of an hour on one busy core.
"""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from facecloak.core import bank
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, Victim
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run
from facecloak_train.attacks.temporal import ClipPainter, circular
from facecloak_train.clip_training import ClipClassifier, Clips, clip_logits, load, load_classifier
from facecloak_train.data import clips
from facecloak_train.measure.clips import clip_fooling
from facecloak_train.nets.clips import CLIP_FPS, CLIP_PX
from facecloak_train.settings import BeatSettings

logger = logging.getLogger(__name__)


def make_beat(settings: BeatSettings) -> Bank:
    """Make, measure, save and return it.

    Raises:
        ArtifactError: the perturbation cannot be read.
        RunError: a classifier cannot be read, or has other classes than the clips, or the budget
            is less than that of the perturbation.
    """
    given = bank.load(settings.perturbation)
    if settings.eps < given.header.eps:
        msg = f"--eps {settings.eps:g} is less than the {given.header.eps:g} levels of "
        raise run.RunError(msg + settings.perturbation.name)
    cards = [OnnxClassifier(path, "cpu").card for path in settings.exports]
    victims = [load_classifier(path) for path in settings.weights]
    if [card.architecture for card in cards] != [victim.name for victim in victims]:
        msg = "--exports are not of the architectures of --weights, one for each, in their order"
        raise run.RunError(msg)
    frames = {victim.frames for victim in victims}
    if len(frames) > 1:
        msg = f"the classifiers take clips of several lengths, {sorted(frames)}; take those of one"
        raise run.RunError(msg)
    seen, unseen = (
        load(clips.read_clips(folder), min(frames)) for folder in (settings.data, settings.unseen)
    )
    for victim in victims:
        if not victim.classes == seen.classes == unseen.classes:
            msg = f"{victim.name} has the classes {victim.classes}, the clips {seen.classes}, "
            raise run.RunError(msg + str(unseen.classes))
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    static = torch.tensor(given.members[ANY].static)
    painter = ClipPainter(CLIP_PX, settings.eps)
    nets = [victim.net for victim in victims]
    circle = circular(nets, seen.frames, painter, static, settings.beat)
    header = dataclasses.replace(
        given.header,
        eps=settings.eps,
        period_s=settings.beat.frames / CLIP_FPS,
        method=given.header.method + "; a circle of frames by the same ascent",
        datasets=(*given.header.datasets, _name_of(settings.data)),
        victims=(*given.header.victims, *(Victim(card.name, card.sha256) for card in cards)),
        command=run.command(),
        measured=_measured(settings, victims, unseen, painter, static, circle),
    )
    members = {
        label: dataclasses.replace(member, header=header, circle=circle.numpy())
        for label, member in given.members.items()
    }
    made = Bank(header, members)
    made.save(settings.out)
    return made


def _name_of(folder: Path) -> str:
    return str(clips.read_clips(folder).identity.get("dataset", folder.name))


def _measured(
    settings: BeatSettings,
    victims: list[ClipClassifier],
    unseen: Clips,
    painter: ClipPainter,
    static: Tensor,
    circle: Tensor,
) -> dict[str, float]:
    """What it does to clips of people that it never saw, at the offset at which it does least."""
    starts = [number * len(circle) // settings.offsets for number in range(settings.offsets)]

    def painted(start: int) -> Callable[[Tensor], Tensor]:
        return lambda seen: painter.cloak(seen, static, circle, torch.full((len(seen),), start))

    told: dict[str, float] = {}
    for victim in victims:
        name = victim.name
        clean = clip_logits(victim.net, unseen.frames).argmax(1).numpy()
        attacked = [
            clip_logits(victim.net, unseen.frames, painted(start)).argmax(1) for start in starts
        ]
        truth, classes = unseen.labels.numpy(), len(unseen.classes)
        figures = clip_fooling(
            truth, clean, torch.stack(attacked).numpy(), unseen.subjects, classes
        )
        told |= {
            f"{name}_worst_fooling_rate": figures["fooling_rate"],
            f"{name}_mean_fooling_rate": figures["mean_fooling_rate"],
            f"{name}_uar": figures["uar"],
            f"{name}_bits": figures["bits"],
        }
        logger.info(
            "%s, %d unseen people: %.1f %% fooled at worst, %.1f %% on average, UAR %.2f to %.2f, "
            "%.2f bit",
            name,
            figures["subjects"],
            100 * figures["fooling_rate"],
            100 * figures["mean_fooling_rate"],
            figures["clean_uar"],
            figures["uar"],
            figures["bits"],
        )
    return told
