"""Give a perturbation a part that beats, so that classifiers of micro-expressions stumble, too.

    facecloak-train beat --perturbation perturbations/default.safetensors --data runs/synthetic-many
        --weights runs/stcnn-all/all.safetensors runs/learnet-all/all.safetensors
        --exports models/stcnn.onnx models/learnet.onnx
        --unseen runs/synthetic-unseen --out perturbations/joint.safetensors

The pattern and the displacement of the file stay as they are; the budget grows by that of the
beating part. It is made from the clips of `--data` alone, and what it does to people it never saw
is logged and put into the header. Two minutes on one core.
"""

import dataclasses
import logging
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facecloak.core.perturbation import Perturbation, Victim
from facecloak.core.perturbation import load as load_perturbation
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import nets, run
from facecloak_train.attacks.temporal import LEVELS, ClipPainter, beating_pair
from facecloak_train.clip_training import Clips, load
from facecloak_train.data import clips
from facecloak_train.measure.clips import clip_fooling
from facecloak_train.settings import BeatSettings

logger = logging.getLogger(__name__)


def make_beat(settings: BeatSettings) -> Perturbation:
    """Make, measure, save and return the perturbation.

    Raises:
        ArtifactError: the perturbation cannot be read.
        RunError: a classifier cannot be read, or has other classes than the clips.
    """
    given = load_perturbation(settings.perturbation)
    cards = [OnnxClassifier(path, "cpu").card for path in settings.exports]
    if [card.architecture for card in cards] != [_net_of(path) for path in settings.weights]:
        msg = "--exports are not of the architectures of --weights, one for each, in their order"
        raise run.RunError(msg)
    victims = {path: _victim(path) for path in settings.weights}
    frames = {int(run.load_checkpoint(path)[1]["frames"]) for path in settings.weights}
    seen, unseen = (
        load(clips.read_clips(folder), max(frames)) for folder in (settings.data, settings.unseen)
    )
    for path in settings.weights:
        classes = tuple(run.load_checkpoint(path)[1]["classes"])
        if not classes == seen.classes == unseen.classes:
            msg = f"{path} has the classes {classes}, the clips {seen.classes}, {unseen.classes}"
            raise run.RunError(msg)
    static = torch.tensor(given.static)
    eps = float(static.abs().max()) + settings.eps
    painter = ClipPainter(clips.CLIP_PX, eps, settings.beat.period_s)
    pair = beating_pair([*victims.values()], seen.frames, painter, static, settings.beat)
    made = Perturbation(
        dataclasses.replace(
            given.header,
            eps=given.header.eps + settings.eps,
            period_s=settings.beat.period_s,
            method=given.header.method + "; a quadrature pair of grids by the same ascent",
            datasets=(*given.header.datasets, _name_of(settings.data)),
            victims=(
                *given.header.victims,
                *(Victim(card.name, card.sha256) for card in cards),
            ),
            command=" ".join(["facecloak-train", *sys.argv[1:]]),
            measured=_measured(settings, victims, unseen, painter, static, pair),
        ),
        static=given.static,
        cosine=pair[0].numpy(),
        sine=pair[1].numpy(),
        displacement=given.displacement,
    )
    made.save(settings.out)
    return made


def _victim(path: Path) -> nn.Module:
    tensors, state = run.load_checkpoint(path)
    net = nets.build_for_clips(state["net"], len(state["classes"]), int(state["frames"]))
    net.load_state_dict({k: v for k, v in tensors.items() if k != "answers"})
    return net.eval().requires_grad_(requires_grad=False)


def _net_of(path: Path) -> str:
    return str(run.load_checkpoint(path)[1]["net"])


def _name_of(folder: Path) -> str:
    return str(clips.read_clips(folder).identity.get("dataset", folder.name))


def _measured(
    settings: BeatSettings,
    victims: dict[Path, nn.Module],
    unseen: Clips,
    painter: ClipPainter,
    static: Tensor,
    pair: Tensor,
) -> dict[str, float]:
    """What it does to clips of people that it never saw, at the offset at which it does least."""
    offsets_s = np.arange(settings.offsets) / settings.offsets * settings.beat.period_s
    told: dict[str, float] = {}
    for path, net in victims.items():
        clean = _answers(net, unseen, None)
        attacked = np.stack(
            [_answers(net, unseen, (painter, static, pair, float(at_s))) for at_s in offsets_s]
        )
        truth, classes = unseen.labels.numpy(), len(unseen.classes)
        figures = clip_fooling(truth, clean, attacked, unseen.subjects, classes)
        name = _net_of(path)
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


@torch.no_grad()
def _answers(
    net: nn.Module, unseen: Clips, paint: tuple[ClipPainter, Tensor, Tensor, float] | None
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    said = []
    for part in torch.split(unseen.frames, 24):
        shown = part.float() / LEVELS
        if paint is not None:
            painter, static, pair, at_s = paint
            shown = painter.cloak(shown, static, pair, torch.full((len(part),), at_s))
        said.append(net(shown).argmax(1))
    together: np.ndarray[tuple[int], np.dtype[np.int64]] = torch.cat(said).numpy()
    return together
