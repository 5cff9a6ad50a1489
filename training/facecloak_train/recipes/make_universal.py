"""Make one additive pattern for all faces, on a coarse luma grid, against one classifier.

    facecloak-train attack --data runs/fer2013.npz --weights runs/vgg19/best.safetensors
        --victim models/vgg19.onnx --out perturbations/default.safetensors

Sees the Training faces only; PublicTest chooses the best pass. Every step paints the grid as the
live compositor does, rounds to 8 bits, and looks at the result through a crop that is turned,
shifted, scaled and relit at random, because the classifier at the far end aligns faces in its own
way. Two cores take about two minutes a pass.
"""

import logging
import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from facecloak.core.perturbation import Header, Perturbation, Victim
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import nets, run
from facecloak_train.attacks.painting import Painter
from facecloak_train.attacks.universal import margin_loss, universal_linf
from facecloak_train.augment import augment
from facecloak_train.data import fer2013
from facecloak_train.settings import AttackSettings

logger = logging.getLogger(__name__)


def make_universal(settings: AttackSettings) -> Perturbation:
    """Make, save and return the perturbation that fools most on PublicTest."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    card = OnnxClassifier(settings.victim, "cpu").card
    tensors, state = run.load_checkpoint(settings.weights)
    net = (
        nets.build(state["net"], len(fer2013.LABELS))
        .to(device)
        .eval()
        .requires_grad_(requires_grad=False)
    )
    net.load_state_dict(tensors)
    net_px = int(state["input_px"])
    splits = fer2013.read_npz(settings.data)
    faces, public = (_planes(splits[name]) for name in ("Training", "PublicTest"))
    painter = Painter(settings.cells, fer2013.FACE_PX, settings.eps, device)

    with torch.autocast(device.type, torch.bfloat16):
        labels = _read(net, faces, net_px, device)
        public_labels = _read(net, public, net_px, device)
    generator = torch.Generator().manual_seed(settings.seed)

    def objective(chosen: Tensor, grid: Tensor) -> Tensor:
        cloaked = painter.cloak(faces[chosen].to(device).float() / 255.0, grid)
        seen = augment(cloaked, net_px, settings.jitter, generator)
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(seen)
        return margin_loss(logits.float(), labels[chosen], settings.confidence)

    def fooling_rate(grid: Tensor) -> float:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            now = _read(net, public, net_px, device, lambda x: painter.cloak(x, grid))
        return float((now != public_labels).float().mean())

    coin = torch.rand(settings.cells, settings.cells, generator=generator)
    grid = ((coin < 0.5).float() * 2.0 - 1.0).to(device) * settings.eps
    best, best_rate = grid, fooling_rate(grid)
    logger.info("random start: %.1f %% of PublicTest fooled", 100 * best_rate)
    for number in range(settings.passes):
        length = settings.step * 0.1 ** (number / max(1, settings.passes - 1))
        grid = universal_linf(
            objective,
            _batches(len(faces), settings, number),
            start=grid,
            eps=settings.eps,
            step=length,
            decay=settings.decay,
        )
        rate = fooling_rate(grid)
        logger.info(
            "pass %d of %d: %.1f %% of PublicTest fooled", number + 1, settings.passes, 100 * rate
        )
        if rate > best_rate:
            best, best_rate = grid, rate

    perturbation = Perturbation(
        Header(
            eps=settings.eps,
            method="momentum sign-gradient ascent on the margin, one additive coarse luma grid",
            seed=settings.seed,
            datasets=("FER2013 Training",),
            victims=(Victim(card.name, card.sha256),),
            command=" ".join(["facecloak-train", *sys.argv[1:]]),
        ),
        static=best.cpu().numpy(),
    )
    perturbation.save(settings.out)
    return perturbation


def _planes(faces: fer2013.Faces) -> Tensor:
    return torch.from_numpy(faces.images)[:, None]


def _batches(count: int, settings: AttackSettings, number: int) -> Iterator[Tensor]:
    order = torch.from_numpy(np.random.default_rng([settings.seed, number]).permutation(count))
    order = order[: settings.faces]
    batches = torch.split(order, settings.batch)
    return iter(tqdm(batches, desc=f"pass {number + 1}", total=len(batches)))


@torch.no_grad()
def _read(
    net: nn.Module,
    faces: Tensor,
    net_px: int,
    device: torch.device,
    change: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """What the classifier says of each face's centre crop: ``int64[N]``."""
    margin = (faces.shape[-1] - net_px) // 2
    end = margin + net_px
    said = []
    for batch in torch.split(faces, 256):
        seen = batch.to(device).float() / 255.0
        if change is not None:
            seen = change(seen)
        said.append(net(seen[..., margin:end, margin:end]).argmax(dim=1))
    return torch.cat(said)
