"""Make the perturbation for all faces, or a bank: one for each expression beside it.

    facecloak-train attack --data runs/fer2013.npz --victims models/vgg19.onnx models/resnet14.onnx
        --selector models/resnet14.onnx --out perturbations/default.safetensors

Each is a smooth displacement and a pattern on a coarse luma grid. With a selector, a member for
each of its classes is made from the faces in which it reads that class: to lead away from one
expression takes less than to lead away from all with the same change.

Sees the Training faces only; PublicTest chooses the best pass. Every step moves and paints the
faces as the live compositor does, rounds to 8 bits, and looks at the result through a crop that is
turned, shifted, scaled and relit at random, because the classifier at the far end aligns faces in
its own way. On two cores a pass takes about two minutes for each victim of the size of VGG19.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, BANK_FORMAT, Header, Perturbation
from facecloak_train import run
from facecloak_train.attacks.budgets import strongest, visibility, within, within_geometry
from facecloak_train.attacks.painting import Painter
from facecloak_train.attacks.universal import Part, ascend, margin_loss, pull
from facecloak_train.augment import augment
from facecloak_train.data import fer2013
from facecloak_train.networks import Network
from facecloak_train.precision import autocast, best_device
from facecloak_train.settings import AttackSettings

logger = logging.getLogger(__name__)

_METHOD: Final = "momentum ascent on the margin: one coarse luma grid, one smooth displacement"
_LOOKED_AT: Final = 10
"""How many batches tell which cells matter."""

Made = tuple[Tensor, Tensor]
"""A pattern, ``float32[G, G]``, and a displacement, ``float32[2, D, D]``."""


def make_universal(settings: AttackSettings) -> Bank:
    """Make, save and return what fools most on PublicTest.

    The file is written after each member; those that are not made yet are as the one for all.

    Raises:
        RunError: a victim cannot be read.
        ArtifactError: a victim carries no card.
        ValueError: a setting makes no sense.
    """
    if not 0.0 < settings.dense <= 1.0:
        msg = f"--dense must be above 0 and at most 1, not {settings.dense:g}"
        raise ValueError(msg)
    if settings.passes < 1:
        msg = f"--passes is {settings.passes}; give 1 or more"
        raise ValueError(msg)
    if settings.dense < 1.0 and settings.passes < 2:
        msg = "--dense chooses the cells after the first pass: ask for --passes 2 or more"
        raise ValueError(msg)
    attack = _Attack(settings)
    made = {ANY: attack.make(ANY)}
    _save(settings, attack, made)
    for label in attack.answers:
        made[label] = attack.make(label, made[ANY])
        _save(settings, attack, made)
    attack.tell(made)
    return _bank(settings, attack, made)


class _Attack:
    """Victims, faces, and the budgets."""

    def __init__(self, settings: AttackSettings) -> None:
        device = best_device()
        splits = fer2013.read_npz(settings.data)
        self.settings = settings
        self.faces, self.public = (
            torch.from_numpy(splits[name].images)[:, None].to(device)
            for name in ("Training", "PublicTest")
        )

        def network(path: Path) -> Network:
            return Network(path, self.faces, settings.input_px, settings.seed)

        self.victims = [network(path) for path in tqdm(settings.victims, desc="victims")]
        self.unseen = [network(path) for path in tqdm(settings.unseen, desc="unseen")]
        self.selector = None if settings.selector is None else network(settings.selector)
        self.answers = () if self.selector is None else fer2013.LABELS
        self._shown = None if self.selector is None else self.selector.read(self.public)
        self._clean = {one: one.read(self.public) for one in (*self.victims, *self.unseen)}
        self._painter = Painter(fer2013.FACE_PX, settings.eps, device)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._most = settings.eps * visibility(self.faces, settings.cells, settings.smooth_share)

    def make(self, label: str, start: Made | None = None) -> Made:
        """The member for faces that read as ``label``, from random signs or from another one."""
        settings, device = self.settings, self.faces.device
        own, shown = (self._reading(faces, label) for faces in (self.faces, self.public))
        if start is not None and not len(own):
            logger.info("%s: in no face, so its member is the one for all", label)
            return start
        if start is None:
            shape = (settings.cells, settings.cells)
            signs = (torch.rand(shape, generator=self._generator) < 0.5).float() * 2.0 - 1.0
            field = torch.zeros(2, settings.field_cells, settings.field_cells, device=device)
            start = signs.to(device) * self._most, field
        most = self._most
        now = best = start
        best_rate = self._rate(shown, *best)
        logger.info("%s: %.1f %% of %d faces fooled at first", label, 100 * best_rate, len(shown))
        for number in range(settings.passes):
            if number == 1 and settings.dense < 1.0:
                most = self._most * self._strongest(own, label, now)
                now = best = within(most)(now[0]), now[1]
                best_rate = self._rate(shown, *best)
                logger.info("%s: %.1f %% with the cells that matter", label, 100 * best_rate)
            length = 0.1 ** (number / max(1, settings.passes - 1))
            field_project = within_geometry(settings.shift, settings.strain)
            grid, field = ascend(
                [self._objective(victim) for victim in self.victims],
                self._batches(own, label, number),
                [
                    Part(now[0], settings.step * length, within(most)),
                    Part(now[1], settings.field_step * length, field_project),
                ],
                decay=settings.decay,
            )
            now = grid, field
            rate = self._rate(shown, *now)
            logger.info("%s: %.1f %% after pass %d", label, 100 * rate, number + 1)
            if rate >= best_rate:
                best, best_rate = now, rate
        return best

    def tell(self, made: dict[str, Made]) -> None:
        """Log what share of PublicTest each network reads otherwise, each face by its member."""
        for network, clean in self._clean.items():
            alone = network.read(self.public, self._change(*made[ANY])) != clean
            fooled = alone.clone()
            for label in self.answers:
                shown = self._reading(self.public, label)
                change = self._change(*made[label])
                fooled[shown] = network.read(self.public[shown], change) != clean[shown]
            kind = "victim" if network in self.victims else "unseen"
            rates = 100 * float(alone.float().mean()), 100 * float(fooled.float().mean())
            logger.info("%s %s: %.1f %% by one, %.1f %% by the bank", kind, network.name, *rates)

    def _reading(self, faces: Tensor, label: str) -> Tensor:
        """Which of the faces are a member's own: ``int64[M]``."""
        if label == ANY or self.selector is None or self._shown is None:
            return torch.arange(len(faces), device=faces.device)
        said = self.selector.labels if faces is self.faces else self._shown
        return torch.nonzero(said == fer2013.LABELS.index(label))[:, 0]

    def _objective(self, victim: Network) -> Callable[..., Tensor]:
        settings = self.settings

        def lead(chosen: Tensor, grid: Tensor, field: Tensor) -> Tensor:
            cloaked = self._painter.cloak(self.faces[chosen].float() / 255.0, grid, field)
            seen = augment(cloaked, settings.input_px, settings.jitter, self._generator)
            with autocast(seen.device):
                logits = victim.net(seen)
            return margin_loss(logits.float(), victim.labels[chosen], settings.confidence)

        return lead

    def _strongest(self, own: Tensor, label: str, now: Made) -> Tensor:
        """Which cells matter: what each adds, to the first order, to what leads astray."""
        batches = islice(self._batches(own, label, self.settings.passes), _LOOKED_AT)
        pulled, _ = pull([self._objective(victim) for victim in self.victims], batches, now)
        return strongest(pulled * now[0], self.settings.dense)

    def _batches(self, own: Tensor, label: str, number: int) -> Iterator[Tensor]:
        """Of a pass: ``settings.faces`` faces, each as often as any other, give or take one."""
        settings = self.settings
        member = (ANY, *self.answers).index(label)
        generator = np.random.default_rng([settings.seed, number, member])
        rounds = -(-settings.faces // len(own))
        order = np.concatenate([generator.permutation(len(own)) for _ in range(rounds)])
        chosen = own[torch.from_numpy(order[: settings.faces]).to(own.device)]
        batches = torch.split(chosen, settings.batch)
        return iter(tqdm(batches, desc=f"{label}, pass {number + 1}"))

    def _change(self, grid: Tensor, field: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda faces: self._painter.cloak(faces, grid, field)

    def _rate(self, shown: Tensor, grid: Tensor, field: Tensor) -> float:
        """The share of some PublicTest faces that a victim reads otherwise; the mean over these."""
        if not len(shown):
            return 0.0
        faces, change = self.public[shown], self._change(grid, field)
        fooled = [
            (victim.read(faces, change) != self._clean[victim][shown]).float().mean()
            for victim in self.victims
        ]
        return float(torch.stack(fooled).mean())


def _save(settings: AttackSettings, attack: _Attack, made: dict[str, Made]) -> None:
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    _bank(settings, attack, made).save(settings.out)


def _bank(settings: AttackSettings, attack: _Attack, made: dict[str, Made]) -> Bank:
    header = Header(
        eps=settings.eps,
        shift=settings.shift,
        strain=settings.strain if settings.shift else 0.0,
        method=_METHOD,
        seed=settings.seed,
        datasets=("FER2013 Training",),
        victims=tuple(victim.about for victim in attack.victims),
        command=run.command(),
    )
    if attack.selector is not None:
        name = attack.selector.name
        header = replace(header, format=BANK_FORMAT, answers=attack.answers, selector=name)
    members = {}
    for label in (ANY, *attack.answers):
        grid, field = made.get(label, made[ANY])
        members[label] = Perturbation(
            header, static=grid.cpu().numpy(), displacement=field.cpu().numpy()
        )
    return Bank(header, members)
