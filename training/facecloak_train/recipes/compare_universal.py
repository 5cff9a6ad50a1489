"""Compare published universal perturbations: how much each fools, whom, and how soon.

    facecloak-train compare --data runs/fer2013.npz --victim models/vgg19.onnx
        --unseen models/resnet14.onnx --out docs/results/compare-vgg19.json

Every method makes one perturbation of the centre crop that the live app reads, from the same
training faces, in bf16. It is judged in fp32 on PrivateTest faces that stand in no other split,
cut to the range of pixels but not rounded to 8 bits. Random sign noise, chessboards and Perlin's
noise of the same budget say what can be had for nothing; FGSM and PGD, made for each face, what
could be had at most. The seconds of a method are its own: while it is looked at after a pass, the
clock stands. ART's perturbation is made in fp32, one face after the other. A Markdown table and
pictures of the rate by budget go beside the report.

With ResNet14 a pass over 2000 faces takes from half a minute to some minutes of one core.
"""

import dataclasses
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from facecloak.verify.criteria import Logits, fooled
from facecloak_train import nets, run
from facecloak_train.attacks import reference
from facecloak_train.attacks.baselines import chessboard, perlin, random_sign
from facecloak_train.attacks.individual import against, fgsm, pgd
from facecloak_train.attacks.published import METHODS, Budget, Plan
from facecloak_train.attacks.published.plan import add
from facecloak_train.augment import centre_crop
from facecloak_train.data import fer2013
from facecloak_train.hardening import LEVELS
from facecloak_train.measure.clock import Clock
from facecloak_train.measure.fooling import fooling
from facecloak_train.measure.pictures import curves
from facecloak_train.measure.report import compare_markdown
from facecloak_train.precision import autocast, best_device
from facecloak_train.settings import CompareSettings
from facecloak_train.teachers import classifier
from facecloak_train.victims import name_of

logger = logging.getLogger(__name__)

GOAL: Final = 0.7
"""The fooling rate that methods race to."""
_BATCH: Final = 256
_LOOKS: Final = 60
"""How often ART's perturbation is looked at in its time."""


def compare_universal(settings: CompareSettings) -> dict[str, Any]:
    """Make, measure, write report, table and pictures, return the report.

    Raises:
        ValueError: there is no such method, or two classifiers have the same name.
        RunError: a classifier cannot be read.
    """
    if unknown := set(settings.methods) - set(METHODS):
        msg = f"there is no method {min(unknown)!r}; there are {', '.join(METHODS)}"
        raise ValueError(msg)
    device = best_device()
    splits = fer2013.read_npz(settings.data)
    known, public = splits["Training"], splits["PublicTest"]
    private = fer2013.without(splits["PrivateTest"], known, public)
    test, truth = _drawn(private, settings.test_faces, settings, device)
    networks = [
        _Network(path, known, test, truth, settings) for path in (settings.victim, *settings.unseen)
    ]
    if len({network.name for network in networks}) < len(networks):
        msg = "two classifiers have the same name; rename the file or folder of one"
        raise ValueError(msg)
    bench = _Bench(
        networks[0],
        _drawn(known, settings.faces, settings, device)[0],
        _drawn(fer2013.without(public, known), settings.held_out, settings, device)[0],
        test,
        settings,
    )
    rows = []
    for eps in settings.eps:
        for name, attack in tqdm(_attacks(bench, settings).items(), desc=f"eps {eps:g}"):
            logger.info("%s", name)
            made = attack(eps / LEVELS)
            rows += [network.row(name, eps, made) for network in networks]

    report = {
        "command": run.command(),
        "classifiers": {network.name: network.sha256 for network in networks},
        "victim": networks[0].name,
        "device": str(device),
        "training_faces": len(bench.training),
        "held_out_faces": len(bench.held_out),
        "faces": len(truth),
        "passes": settings.passes,
        "batch": settings.batch,
        "goal": GOAL,
        "rows": rows,
    }
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, json.dumps(report, indent=2).encode())
    text = compare_markdown(report)
    run.write_atomically(settings.out.with_suffix(".md"), text.encode())
    for network in networks:
        _picture(settings.out.with_name(f"{settings.out.stem}-{network.name}.png"), network, rows)
    logger.info("%s", text)
    return report


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What an attack made of the test faces.

    Attributes:
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``.
        seconds: how long it took.
        reached: after each pass of a method that learns, the seconds so far and the share of the
            held-out faces that is fooled; None for others.
    """

    faces: Tensor
    seconds: float
    reached: Sequence[tuple[float, float]] | None = None


class _Network:
    """A classifier, and what it says of the clean test faces."""

    def __init__(
        self,
        path: Path,
        training: fer2013.Faces,
        test: Tensor,
        truth: NDArray[np.int64],
        settings: CompareSettings,
    ) -> None:
        self.name = name_of(path)
        self.sha256 = run.digest_of(path)
        faces = torch.from_numpy(training.images)[:, None].to(test.device)
        net = classifier(path, faces, settings.input_px, settings.seed)
        self.net = nets.channels_last(net)
        self._truth = truth
        self._test = test
        self._clean = self.logits(test)

    @torch.no_grad()
    def logits(self, faces: Tensor) -> Logits:
        """What it says in fp32: ``float32[N, classes]``."""
        parts = [self.net(part) for part in torch.split(faces, _BATCH)]
        said: Logits = torch.cat(parts).cpu().numpy()
        return said

    def fast(self, faces: Tensor) -> Tensor:
        """What it says in bf16, with a gradient."""
        with autocast(faces.device):
            logits: Tensor = self.net(faces)
        return logits.float()

    def row(self, name: str, eps: float, made: _Made) -> dict[str, Any]:
        """The figures of an attack.

        Raises:
            ValueError: a face changed by more than ``eps`` levels or left the range.
        """
        far = float((made.faces - self._test).abs().max()) > eps / LEVELS + 1e-6
        if far or made.faces.min() < 0.0 or made.faces.max() > 1.0:
            msg = f"{name} broke its budget of {eps:g} levels, or the range"
            raise ValueError(msg)
        reached = made.reached or ()
        return {
            "perturbation": name,
            "eps": eps,
            "network": self.name,
            **dataclasses.asdict(fooling(self._clean, self.logits(made.faces), self._truth)),
            "seconds": made.seconds,
            "learns": made.reached is not None,
            "goal_s": next((seconds for seconds, rate in reached if rate >= GOAL), None),
            "reached": [list(point) for point in reached],
        }


class _Bench:
    """Faces, a victim, and every way to attack it; ``eps`` is in units of the full range."""

    def __init__(
        self,
        victim: _Network,
        training: Tensor,
        held_out: Tensor,
        test: Tensor,
        settings: CompareSettings,
    ) -> None:
        self.training = training
        self.held_out = held_out
        self._victim = victim
        self._test = test
        self._settings = settings
        self._held_out_clean = victim.logits(held_out)

    def by_method(self, name: str, eps: float) -> _Made:
        """A published universal perturbation."""
        clock, settings = self._clock(), self._settings
        plan = Plan(
            passes=settings.passes,
            batch=settings.batch,
            seed=settings.seed,
            after_pass=clock.look,
        )
        found = METHODS[name](self._victim.fast, self.training, Budget(eps), plan)
        return _Made(add(self._test, found), clock.reached[-1][0], clock.reached)

    def by_art(self, eps: float) -> _Made:
        """ART's universal perturbation, as far as it comes in its time."""
        clock, limit = self._clock(), self._settings.art_s

        def go_on(so_far: Callable[[], Tensor]) -> bool:
            looked = clock.reached[-1][0] if clock.reached else 0.0
            if clock.seconds - looked >= limit / _LOOKS:
                clock.look(so_far().to(self._test.device))
            return clock.seconds < limit

        found = reference.universal(self._victim.net, self.training, eps, go_on)
        found = found.to(self._test.device)
        clock.look(found)
        return _Made(add(self._test, found), clock.reached[-1][0], clock.reached)

    def by_pattern(self, pattern: NDArray[np.float32]) -> _Made:
        """A pattern that knows no classifier."""
        found = torch.from_numpy(pattern)[None].to(self._test.device)
        return _Made(add(self._test, found), 0.0)

    def by_face(self, steps: int, eps: float) -> _Made:
        """FGSM, or PGD where ``steps`` is not zero, for each test face."""
        clock = self._clock()
        generator = torch.Generator().manual_seed(self._settings.seed)
        found = []
        for faces in torch.split(self._test, _BATCH):
            with torch.no_grad():
                away = against(self._victim.fast(faces).argmax(dim=1))
            found.append(
                pgd(self._victim.fast, faces, away, eps, steps=steps, generator=generator)
                if steps
                else fgsm(self._victim.fast, faces, away, eps)
            )
        return _Made(torch.cat(found), clock.seconds)

    def _clock(self) -> Clock:
        def rate(perturbation: Tensor) -> float:
            said = self._victim.logits(add(self.held_out, perturbation))
            return float(fooled(self._held_out_clean, said).mean())

        return Clock(rate, cuda=self._test.is_cuda)


def _attacks(bench: _Bench, settings: CompareSettings) -> dict[str, Callable[[float], _Made]]:
    """What takes a budget, by name: lower bounds, methods, upper bounds."""
    size, seed = settings.input_px, settings.seed

    attacks: dict[str, Callable[[float], _Made]] = {
        "random sign": lambda eps: bench.by_pattern(random_sign(size, eps, seed)),
        "chessboard": lambda eps: bench.by_pattern(chessboard(size, eps)),
        "chessboard, 4 px": lambda eps: bench.by_pattern(chessboard(size, eps, 4)),
        "Perlin": lambda eps: bench.by_pattern(perlin(size, eps, seed, octaves=settings.octaves)),
    }
    for name in settings.methods:
        attacks[name] = lambda eps, name=name: bench.by_method(name, eps)  # type: ignore[misc]
    if settings.art:
        attacks["ART UniversalPerturbation"] = bench.by_art
    attacks["FGSM, each face"] = lambda eps: bench.by_face(0, eps)
    attacks[f"PGD-{settings.steps}, each face"] = lambda eps: bench.by_face(settings.steps, eps)
    return attacks


def _drawn(
    faces: fer2013.Faces, count: int, settings: CompareSettings, device: torch.device
) -> tuple[Tensor, NDArray[np.int64]]:
    """Random faces as networks look at them, ``float32[N, 1, S, S]``, and their true classes."""
    order = np.random.default_rng(settings.seed).permutation(len(faces))[:count]
    images = torch.from_numpy(faces.images[order])[:, None].to(device).float() / LEVELS
    return centre_crop(images, settings.input_px), faces.labels[order]


def _picture(path: Path, network: _Network, rows: Sequence[dict[str, Any]]) -> None:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["network"] == network.name:
            point = (row["eps"], 100 * row["fooling_rate"])
            lines.setdefault(row["perturbation"], []).append(point)
    labels = ("largest change, levels of 255", f"{network.name}: class changed, %")
    curves(path, lines, start=(0.0, 0.0), labels=labels)
