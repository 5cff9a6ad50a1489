"""Train a network that draws a perturbation for each face, and tell what a universal one leaves.

    facecloak-train tailor --data runs/fer2013.npz --victims models/resnet14.onnx
        models/surrogates/mobilenet.safetensors --unseen models/vgg19.onnx --out runs/tailor

A study: the live app does not use it yet. Same budgets, same faces, same compositor mathematics
and same objective as `attack`, so that its figures stand beside those of one perturbation for all
faces and of a bank. Sees the Training faces only; what it does to PublicTest is told after every
so many steps and stands in ``metrics.jsonl``; a run that was killed goes on where it was. A step
takes as long as one of `attack`.
"""

import dataclasses
import logging
import math
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from tqdm import tqdm

from facecloak_train import run
from facecloak_train.attacks.budgets import visibility
from facecloak_train.attacks.painting import Painter
from facecloak_train.attacks.universal import margin_loss
from facecloak_train.augment import augment
from facecloak_train.data import fer2013
from facecloak_train.metrics import Metrics
from facecloak_train.nets.tailor import CELLS, Tailor
from facecloak_train.networks import Network
from facecloak_train.settings import TailorSettings

logger = logging.getLogger(__name__)

LAST: Final = "last.safetensors"
_WARM_STEPS: Final = 50
_OVERSHOOT: Final = 2.0
"""How much longer a shift may be than what its grid says: by the root of two along both axes at
once, and by that again where cubic interpolation overshoots."""


def make_tailor(settings: TailorSettings) -> dict[str, float]:
    """Train, or go on training, and return the share of PublicTest that each network misreads.

    Raises:
        RunError: a victim cannot be read, or the folder holds a run with other settings.
        ArtifactError: an ``.onnx`` carries no card.
    """
    study = _Study(settings)
    last = settings.out / LAST
    if last.is_file():
        study.restore(*run.load_checkpoint(last))
        logger.info("resuming %s at step %d of %d", settings.out, study.done, settings.steps)
    run.describe(settings.out, dataclasses.asdict(settings), run.digest_of(settings.data))
    rates: dict[str, float] = {}
    progress = tqdm(total=settings.steps, initial=study.done, unit="step", smoothing=0.05)
    with progress, Metrics(settings.out, study.done // settings.told_steps) as metrics:
        while study.done < settings.steps:
            study.step()
            progress.update()
            if study.done % settings.told_steps == 0 or study.done == settings.steps:
                rates = study.rates()
                number = -(-study.done // settings.told_steps)
                metrics.add({"epoch": number, "step": study.done, **rates}, number)
                run.save_checkpoint(last, *study.snapshot())
                told = ", ".join(f"{name} {100 * rate:.1f} %" for name, rate in rates.items())
                logger.info("step %d, PublicTest fooled: %s", study.done, told)
    return rates or study.rates()


class _Study:
    """The tailor, its victims, and how far it is."""

    def __init__(self, settings: TailorSettings) -> None:
        torch.manual_seed(settings.seed)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        splits = fer2013.read_npz(settings.data)
        self.settings = settings
        self._faces, public = (
            torch.from_numpy(splits[name].images)[:, None].to(device)
            for name in ("Training", "PublicTest")
        )
        self._public = public[: settings.public_faces]

        def network(path: Path) -> Network:
            return Network(path, self._faces, settings.input_px, settings.seed)

        self._victims = [network(path) for path in settings.victims]
        self._all = [*self._victims, *(network(path) for path in settings.unseen)]
        self._clean = {one: one.read(self._public) for one in self._all}
        self._painter = Painter(fer2013.FACE_PX, settings.eps, device)
        self._most = settings.eps * visibility(self._faces, CELLS, settings.smooth_share)
        self._tailor = Tailor().to(device)
        self._optimizer = torch.optim.Adam(self._tailor.parameters(), settings.learning_rate)
        self.done = 0

    def step(self) -> None:
        """Take one step; its faces and their jitter depend on the seed and its number alone."""
        settings = self.settings
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self.done)
        drawn = torch.randint(0, len(self._faces), (settings.batch,), generator=generator)
        chosen = drawn.to(self._faces.device)
        faces = self._faces[chosen].float() / 255.0
        cloaked = self._cloaked(faces)
        loss = torch.zeros((), device=faces.device)
        for victim in self._victims:
            seen = augment(cloaked, settings.input_px, settings.jitter, generator)
            with torch.autocast(seen.device.type, torch.bfloat16):
                logits = victim.net(seen)
            lead = margin_loss(logits.float(), victim.labels[chosen], settings.confidence)
            loss = loss - lead.mean()
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * self._pace()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self.done += 1

    @torch.no_grad()
    def rates(self) -> dict[str, float]:
        """The share of PublicTest that each network reads otherwise, lossless, in 8 bits."""
        self._tailor.eval()
        fooled = {
            one.name: float(
                (one.read(self._public, self._cloaked) != self._clean[one]).float().mean()
            )
            for one in self._all
        }
        self._tailor.train()
        return fooled

    def snapshot(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What :meth:`restore` needs."""
        moments = {
            f"optimizer.{name}.{key}": value
            for name, parameter in self._tailor.named_parameters()
            for key, value in self._optimizer.state[parameter].items()
        }
        net = {f"net.{name}": tensor for name, tensor in self._tailor.state_dict().items()}
        return net | moments, {"step": self.done, "settings": _identity(self.settings)}

    def restore(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Go back to a snapshot. Raises RunError where it is of a run with other settings."""
        if state["settings"] != _identity(self.settings):
            msg = f"the run in {self.settings.out} was begun with other settings"
            raise run.RunError(msg + "; give the same, or another --out")
        net = {k.removeprefix("net."): v for k, v in tensors.items() if k.startswith("net.")}
        self._tailor.load_state_dict(net)
        for name, parameter in self._tailor.named_parameters():
            prefix = f"optimizer.{name}."
            self._optimizer.state[parameter] = {
                key.removeprefix(prefix): value if key.endswith(".step") else value.to(parameter)
                for key, value in tensors.items()
                if key.startswith(prefix)
            }
        self.done = int(state["step"])

    def _cloaked(self, faces: Tensor) -> Tensor:
        settings = self.settings
        with torch.autocast(faces.device.type, torch.bfloat16):
            pattern, field = self._tailor(faces)
        reach = settings.shift / _OVERSHOOT
        return self._painter.cloak(faces, pattern.float() * self._most, field.float() * reach)

    def _pace(self) -> float:
        """The learning rate, as a share of its peak: a short rise, then a cosine to zero."""
        rise = min(1.0, (self.done + 1) / _WARM_STEPS)
        return rise * 0.5 * (1.0 + math.cos(math.pi * self.done / self.settings.steps))


def _identity(settings: TailorSettings) -> dict[str, Any]:
    files = {
        "data": run.digest_of(settings.data),
        "victims": [run.digest_of(path) for path in settings.victims],
        "unseen": [run.digest_of(path) for path in settings.unseen],
    }
    return {k: v for k, v in (dataclasses.asdict(settings) | files).items() if k != "out"}
