"""Give a perturbation a part that beats, so that classifiers of micro-expressions stumble, too.

    facecloak-train beat --perturbation perturbations/default.safetensors --data runs/synthetic-many
        --weights runs/stcnn-all/all.safetensors runs/learnet-all/all.safetensors
        --exports models/stcnn.onnx models/learnet.onnx
        --unseen runs/synthetic-unseen --out perturbations/joint.safetensors

The pattern and the displacement of the file stay as they are; the budget grows by that of the
beating part. It is made from the clips of `--data` alone, and what it does to people it never saw
is logged and put into the header. All members of a bank get the same part, which is made beside the
member for every face. Two minutes on one core.
"""

import dataclasses
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facecloak.core import bank
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, Victim
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run
from facecloak_train.attacks.temporal import ClipPainter, beating_pair
from facecloak_train.clip_training import ClipClassifier, Clips, clip_logits, load, load_classifier
from facecloak_train.data import clips
from facecloak_train.measure.clips import clip_fooling
from facecloak_train.nets.clips import CLIP_PX
from facecloak_train.settings import BeatSettings

logger = logging.getLogger(__name__)


def make_beat(settings: BeatSettings) -> Bank:
    """Make, measure, save and return it.

    Raises:
        ArtifactError: the perturbation cannot be read.
        RunError: a classifier cannot be read, or has other classes than the clips.
    """
    given = bank.load(settings.perturbation)
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
    static = torch.tensor(given.members[ANY].static)
    eps = float(static.abs().max()) + settings.eps
    painter = ClipPainter(CLIP_PX, eps, settings.beat.period_s)
    pair = beating_pair(
        [victim.net for victim in victims], seen.frames, painter, static, settings.beat
    )
    header = dataclasses.replace(
        given.header,
        eps=given.header.eps + settings.eps,
        period_s=settings.beat.period_s,
        method=given.header.method + "; a quadrature pair of grids by the same ascent",
        datasets=(*given.header.datasets, _name_of(settings.data)),
        victims=(*given.header.victims, *(Victim(card.name, card.sha256) for card in cards)),
        command=" ".join(["facecloak-train", *sys.argv[1:]]),
        measured=_measured(settings, victims, unseen, painter, static, pair),
    )
    cosine, sine = pair.numpy()
    members = {
        label: dataclasses.replace(member, header=header, cosine=cosine, sine=sine)
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
    pair: Tensor,
) -> dict[str, float]:
    """What it does to clips of people that it never saw, at the offset at which it does least."""
    offsets_s = np.arange(settings.offsets) / settings.offsets * settings.beat.period_s

    def painted(at_s: float) -> Callable[[Tensor], Tensor]:
        return lambda seen: painter.cloak(seen, static, pair, torch.full((len(seen),), at_s))

    told: dict[str, float] = {}
    for victim in victims:
        name = victim.name
        clean = clip_logits(victim.net, unseen.frames).argmax(1).numpy()
        attacked = [
            clip_logits(victim.net, unseen.frames, painted(at_s)).argmax(1) for at_s in offsets_s
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
