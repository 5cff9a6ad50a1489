"""Make one perturbation for all faces: a smooth displacement, and a pattern on a coarse luma grid.

    facecloak-train attack --data runs/fer2013.npz --victims models/vgg19.onnx models/resnet14.onnx
        --out perturbations/default.safetensors

Sees the Training faces only; PublicTest chooses the best pass. Every step moves and paints the
faces as the live compositor does, rounds to 8 bits, and looks at the result through a crop that is
turned, shifted, scaled and relit at random, because the classifier at the far end aligns faces in
its own way. Two cores take about two minutes a pass for each victim of the size of VGG19.
"""

import functools
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from facecloak.core import displacement
from facecloak.core.perturbation import Header, Perturbation, Victim
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import nets
from facecloak_train.attacks.painting import Painter
from facecloak_train.attacks.universal import Part, ascend, margin_loss, within
from facecloak_train.augment import augment, centre_crop
from facecloak_train.data import fer2013
from facecloak_train.settings import AttackSettings
from facecloak_train.teachers import architecture, load_weights

logger = logging.getLogger(__name__)

_SMOOTHINGS: Final = 12
"""How often a displacement is smoothed at most, after a step."""
_ROOM: Final = 1 - 1e-5
"""A displacement is scaled to this part of its budget, so that rounding does not break it."""


def make_universal(settings: AttackSettings) -> Perturbation:
    """Make, save and return the perturbation that fools most on PublicTest.

    Raises:
        RunError: a victim cannot be read.
        ArtifactError: a victim carries no card.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    splits = fer2013.read_npz(settings.data)
    faces, public = (_planes(splits[name]) for name in ("Training", "PublicTest"))
    victims, unseen = (
        [_Network(path, faces, public, settings, device) for path in tqdm(paths, desc=what)]
        for what, paths in (("victims", settings.victims), ("unseen", settings.unseen))
    )
    painter = Painter(fer2013.FACE_PX, settings.eps, device)
    generator = torch.Generator().manual_seed(settings.seed)

    def objective(victim: _Network) -> Callable[..., Tensor]:
        def lead(chosen: Tensor, grid: Tensor, field: Tensor) -> Tensor:
            cloaked = painter.cloak(faces[chosen].to(device).float() / 255.0, grid, field)
            seen = augment(cloaked, settings.input_px, settings.jitter, generator)
            with torch.autocast(device.type, torch.bfloat16):
                logits = victim.net(seen)
            return margin_loss(logits.float(), victim.labels[chosen], settings.confidence)

        return lead

    def fooled(grid: Tensor, field: Tensor) -> float:
        """Tell what each network makes of it; the mean over the victims."""
        rates = {
            network: network.fooled(public, lambda x: painter.cloak(x, grid, field))
            for network in (*victims, *unseen)
        }
        for network, rate in rates.items():
            kind = "victim" if network in victims else "unseen"
            logger.info("  %s %s: %.1f %% of PublicTest fooled", kind, network.name, 100 * rate)
        return float(np.mean([rates[victim] for victim in victims]))

    coin = torch.rand(settings.cells, settings.cells, generator=generator)
    grid = ((coin < 0.5).float() * 2.0 - 1.0).to(device) * settings.eps
    field = torch.zeros(2, settings.field_cells, settings.field_cells, device=device)
    logger.info("random start")
    best, best_rate = (grid, field), fooled(grid, field)
    for number in range(settings.passes):
        length = 0.1 ** (number / max(1, settings.passes - 1))
        grid, field = ascend(
            [objective(victim) for victim in victims],
            _batches(len(faces), settings, number),
            [
                Part(grid, settings.step * length, within(settings.eps)),
                Part(
                    field,
                    settings.field_step * length,
                    _within_geometry(settings.shift, settings.strain),
                ),
            ],
            decay=settings.decay,
        )
        logger.info("pass %d of %d", number + 1, settings.passes)
        rate = fooled(grid, field)
        if rate > best_rate:
            best, best_rate = (grid, field), rate

    perturbation = _perturbation(settings, [victim.card for victim in victims], *best)
    perturbation.save(settings.out)
    return perturbation


class _Network:
    """A classifier, and what it reads in the clean faces."""

    def __init__(
        self,
        path: Path,
        faces: Tensor,
        public: Tensor,
        settings: AttackSettings,
        device: torch.device,
    ) -> None:
        card = OnnxClassifier(path, "cpu").card
        self.card = Victim(card.name, card.sha256)
        self.name = card.name
        self.net = nets.build(architecture(path), len(fer2013.LABELS)).to(device)
        load_weights(self.net, path, faces, settings.input_px, settings.seed)
        self.net.eval().requires_grad_(requires_grad=False)
        self._input_px = settings.input_px
        self._device = device
        self._faces = faces
        self._public_labels = self._read(public)

    @functools.cached_property
    def labels(self) -> Tensor:
        """What it says of the clean training faces, ``int64[N]``."""
        return self._read(self._faces)

    def fooled(self, public: Tensor, change: Callable[[Tensor], Tensor]) -> float:
        """The share of PublicTest faces that are read otherwise once changed."""
        changed = self._read(public, change) != self._public_labels
        return float(changed.float().mean())

    @torch.no_grad()
    def _read(self, faces: Tensor, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """What it says of each face's centre crop: ``int64[N]``."""
        said = []
        for batch in torch.split(faces, 256):
            seen = batch.to(self._device).float() / 255.0
            if change is not None:
                seen = change(seen)
            with torch.autocast(self._device.type, torch.bfloat16):
                said.append(self.net(centre_crop(seen, self._input_px)).argmax(dim=1))
        return torch.cat(said)


def _within_geometry(shift: float, strain: float) -> Callable[[Tensor], Tensor]:
    """Takes a displacement back into both budgets, which the reader of the file measures alike.

    Shifts that are too long are shortened each by itself; a field that bends too much is smoothed
    until it does not. What cubic interpolation adds to that is scaled away.
    """

    def project(field: Tensor) -> Tensor:
        if not shift > 0:
            return torch.zeros_like(field)
        lengths = field.norm(dim=0, keepdim=True).clamp_min(1e-12)
        field = field * (shift / lengths).clamp(max=1.0)
        for _ in range(_SMOOTHINGS):
            if displacement.strain(_plain(field)) <= strain:
                break
            field = torch.lerp(field, _smoothed(field), 0.25)
        plain = _plain(field)
        too_much = max(displacement.largest(plain) / shift, displacement.strain(plain) / strain)
        return field * min(1.0, _ROOM / max(too_much, 1e-9))

    return project


def _plain(field: Tensor) -> NDArray[np.float32]:
    return field.detach().cpu().numpy().astype(np.float32)


def _smoothed(field: Tensor) -> Tensor:
    """The mean with the neighbours, ``[1 2 1] / 4`` along each axis; the border is repeated."""
    kernel = torch.tensor([0.25, 0.5, 0.25], device=field.device)
    padded = functional.pad(field[:, None], (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, torch.outer(kernel, kernel)[None, None])[:, 0]


def _perturbation(
    settings: AttackSettings, victims: Sequence[Victim], grid: Tensor, field: Tensor
) -> Perturbation:
    return Perturbation(
        Header(
            eps=settings.eps,
            shift=settings.shift,
            strain=settings.strain if settings.shift else 0.0,
            method="momentum ascent on the margin: one coarse luma grid, one smooth displacement",
            seed=settings.seed,
            datasets=("FER2013 Training",),
            victims=tuple(victims),
            command=" ".join(["facecloak-train", *sys.argv[1:]]),
        ),
        static=grid.cpu().numpy(),
        displacement=field.cpu().numpy(),
    )


def _planes(faces: fer2013.Faces) -> Tensor:
    return torch.from_numpy(faces.images)[:, None]


def _batches(count: int, settings: AttackSettings, number: int) -> Iterator[Tensor]:
    order = torch.from_numpy(np.random.default_rng([settings.seed, number]).permutation(count))
    order = order[: settings.faces]
    batches = torch.split(order, settings.batch)
    return iter(tqdm(batches, desc=f"pass {number + 1}", total=len(batches)))
