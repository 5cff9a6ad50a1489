"""A training run of a classifier: its state, step by step, and how it goes on after a kill.

The order of the batches, the augmentation and the dropout of a step depend on the seed and the
step's number alone, so that a run that was cut short goes on to the same result.
"""

import dataclasses
import functools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from facecloak_train import nets, run
from facecloak_train.augment import augment, erase, mix
from facecloak_train.checks import check
from facecloak_train.crew import Crew
from facecloak_train.data import fer2013
from facecloak_train.hardening import attacked_accuracy, hardened_loss
from facecloak_train.measure.accuracy import centre_crop_accuracy
from facecloak_train.metrics import Metrics
from facecloak_train.optimization import one_cycle, optimizer
from facecloak_train.precision import autocast
from facecloak_train.recording import Recordings
from facecloak_train.settings import FitSettings
from facecloak_train.teachers import Panel, load_weights, targets

logger = logging.getLogger(__name__)

LAST, BEST = "last.safetensors", "best.safetensors"

_TOLD_STEPS = 20
"""Steps between two losses in the progress bar: to read one is to wait for the device."""

AfterEpoch = Callable[[int, float], None]
"""Told the epoch, counted from one, and its PublicTest accuracy; may raise to end the run."""


def train(
    settings: FitSettings,
    splits: Mapping[str, fer2013.Faces],
    crew: Crew,
    after_epoch: AfterEpoch | None = None,
) -> "Training":
    """Train, or go on training, to the last epoch; ``best.safetensors`` is what PublicTest liked.

    Raises:
        RunError: the run folder holds a run with other settings, or a file it needs is broken.
    """
    training = Training(settings, splits["Training"], crew)
    last = settings.out / LAST
    resumed = last.is_file()
    if resumed:
        training.restore(*run.load_checkpoint(last))
        logger.info("resuming %s at step %d of %d", settings.out, training.done, training.steps)
    crew.wait()
    if not crew.leads:
        while training.done < training.steps:
            training.step()
            if training.done % training.per_epoch == 0:
                training.end_epoch()
                crew.wait()
        return training

    about, digest = dataclasses.asdict(settings), run.digest_of(settings.data)
    run.describe(settings.out, about, digest, crew.about(), resumed=resumed)
    begun_s = time.monotonic()
    progress = tqdm(
        total=training.steps, initial=training.done, unit="step", desc=settings.net, smoothing=0.05
    )
    with progress, Metrics(settings.out, training.done // training.per_epoch) as metrics:
        while training.done < training.steps:
            training.step()
            progress.update()
            if training.done % _TOLD_STEPS == 0:
                progress.set_postfix(epoch=training.epoch, loss=f"{training.losses[-1]:.3f}")
            ended = training.done % training.per_epoch == 0
            public = _end_epoch(training, metrics, splits, begun_s) if ended else None
            if ended or training.done % settings.checkpoint_steps == 0:
                run.save_checkpoint(last, *training.snapshot())
            if public is not None:
                crew.wait()
                if after_epoch is not None:
                    after_epoch(training.epoch, public)
    return training


def _end_epoch(
    training: "Training", metrics: Metrics, splits: Mapping[str, fer2013.Faces], begun_s: float
) -> float:
    """Tell the epoch, keep it where it is the best, return its PublicTest accuracy.

    Of a hardened network the accuracy under its attack decides.
    """
    settings, net, faces = training.settings, training.average.module, splits["PublicTest"]
    figures = {"public": centre_crop_accuracy(net, faces, settings.input_px, training.device)}
    if settings.hardening.attack != "none":
        figures["public_attacked"] = attacked_accuracy(net, faces, settings, training.device)
    row = {"epoch": training.epoch, "loss": training.end_epoch()} | figures
    metrics.add(row | {"seconds": time.monotonic() - begun_s}, training.epoch)
    if min(figures.values()) > training.best:
        training.best = min(figures.values())
        about = {"net": settings.net, "epoch": training.epoch, "input_px": settings.input_px}
        about |= {"public": figures["public"]}
        run.save_checkpoint(settings.out / BEST, net.state_dict(), about)
    return figures["public"]


class Training:
    """The state of a run: the network, its moving average, the optimiser, and how far it got.

    Attributes:
        settings: of the run.
        device: where this process computes.
        net: what is trained.
        average: the exponential moving average of its weights and batch statistics.
        done, steps, per_epoch: steps taken, in all, and in an epoch.
        best: highest PublicTest accuracy so far, under the attack of the settings if there is one.
        losses: of the steps of the epoch so far, the mean of all processes: ``float32[]`` each.
    """

    def __init__(self, settings: FitSettings, faces: fer2013.Faces, crew: Crew) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self._identity = _identity(settings)
        self._crew = crew
        self.device = crew.device
        self._own = crew.share(settings.batch)
        self._images = torch.from_numpy(faces.images)[:, None].to(self.device)
        self._labels = torch.from_numpy(faces.labels)
        self._features = None if faces.features is None else torch.from_numpy(faces.features)
        check(settings, len(faces), features=self._features is not None)
        self.per_epoch = len(faces) // settings.batch
        self.net = self._fresh(settings.net, features=self._features is not None)
        if settings.start is not None:
            load_weights(self.net, settings.start, self._images, settings.input_px, settings.seed)
        average = get_ema_multi_avg_fn(settings.average_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.net, multi_avg_fn=average, use_buffers=True)
        # A counter on the GPU would be waited for, once for each tensor of the network.
        self.average.n_averaged = self.average.n_averaged.cpu()
        self._optimizer = optimizer(self.net, settings)
        self.steps = self.per_epoch * settings.epochs
        self._shuffled: tuple[int, Tensor] | None = None
        self._recordings = Recordings(self.net)
        self.done = 0
        self.best = 0.0
        self.losses: list[Tensor] = []

    @property
    def epoch(self) -> int:
        """The epoch that the last step belongs to, counted from one."""
        return 1 + max(0, self.done - 1) // self.per_epoch

    def _fresh(self, name: str, *, features: bool = False) -> nn.Module:
        """An untrained network, whose channels come last because that is faster."""
        net = nets.build(name, len(fer2013.LABELS), features=features).to(self.device)
        return nets.channels_last(net)

    @functools.cached_property
    def _wanted(self) -> Tensor:
        """What the network is to answer, ``float32[N, classes]``; see :func:`teachers.targets`."""
        return targets(self.settings, self._labels, self._images, self._fresh, self._crew)

    @functools.cached_property
    def _panel(self) -> Panel | None:
        """The teachers, where they are asked at every step."""
        consistent = self.settings.teachers_consistent
        return Panel(self.settings, self._images) if consistent else None

    def step(self) -> None:
        """Take one step."""
        settings = self.settings
        epoch, within = divmod(self.done, self.per_epoch)
        chosen = self._order(epoch)[within * settings.batch : (within + 1) * settings.batch]
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self.done)
        size_px = settings.small_px if epoch < settings.small_epochs else settings.input_px
        net, batch, wanted = self._batch(chosen, size_px, generator)
        # Once the network is recorded, which draws, too.
        dropout = settings.seed * 1_000_003 + self.done + (self._crew.rank << 40)
        torch.manual_seed(dropout)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * one_cycle(self.done / self.steps)
        with autocast(self.device):
            loss = hardened_loss(
                net, batch, wanted, settings.hardening, settings.label_smoothing, generator
            )
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._crew.average_gradients(self.net)
        nn.utils.clip_grad_norm_(self.net.parameters(), settings.gradient_norm)
        self._optimizer.step()
        self._crew.average_statistics(self.net)
        self.average.update_parameters(self.net)
        self.losses.append(self._crew.average(loss.detach()))
        self.done += 1

    def end_epoch(self) -> float:
        """The mean loss of the epoch; the next one begins."""
        loss = float(torch.stack(self.losses).mean())
        self.losses.clear()
        return loss

    def _order(self, epoch: int) -> Tensor:
        """The order of the faces in an epoch: ``int64[N]``."""
        if self._shuffled is None or self._shuffled[0] != epoch:
            order = np.random.default_rng([self.settings.seed, epoch]).permutation
            self._shuffled = epoch, torch.from_numpy(order(len(self._images))).to(self.device)
        return self._shuffled[1]

    def _batch(
        self, chosen: Tensor, size_px: int, generator: torch.Generator
    ) -> tuple[nn.Module, Tensor, Tensor]:
        """This process's share of the chosen faces: the network that takes it, it, and the answers.

        The faces are augmented; the network is the one that trains, or it as a GPU replays it.
        """
        images, jitter, net = self._images[chosen].float() / 255.0, self.settings.jitter, self.net
        if self._features is not None and nets.takes_features(net):
            # A mirror image has features of its own, so that faces are mirrored here.
            mirrored = (torch.rand(len(chosen), generator=generator) < 0.5) & jitter.flip
            at_device = mirrored.to(self.device)[:, None, None, None]
            images = torch.where(at_device, images.flip(-1), images)
            jitter = dataclasses.replace(jitter, flip=False)
            features = self._features[chosen.cpu(), mirrored.long()][self._own]
            net = nets.Bound(self.net, features.float().to(self.device))
        faces = erase(augment(images, size_px, jitter, generator), self.settings.erase, generator)
        faces, wanted = mix(faces, self._wanted[chosen], self.settings.mixup, generator)
        faces, wanted = faces[self._own], wanted[self._own]
        if self._panel is not None:
            wanted = self._panel.beside(faces, wanted)
        if faces.is_cuda and net is self.net and self.settings.hardening.attack == "none":
            net = self._recordings.of(faces)
        return net, faces, wanted

    def snapshot(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that :meth:`restore` needs: tensors, and a JSON-able state."""
        moments = {  # of the optimiser: Adam's two and its counter, or SGD's momentum
            f"optimizer.{name}.{key}": value
            for name, parameter in self.net.named_parameters()
            for key, value in self._optimizer.state[parameter].items()
        }
        return (
            {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
            | {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
            | moments
            | ({"losses": torch.stack(self.losses)} if self.losses else {}),
            {"step": self.done, "best": self.best, "settings": self._identity},
        )

    def restore(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Go back to a snapshot; one of before losses were kept goes on without those it had.

        Raises:
            RunError: it belongs to a run with other settings, which this one cannot continue.
        """
        once = {"mixup": 0.0, "teachers_consistent": False}  # of runs that did not tell it
        begun, asked = once | state["settings"], self._identity
        if begun != asked:
            changed = ", ".join(sorted(k for k in asked if begun.get(k) != asked[k]))
            msg = f"the run in {self.settings.out} was begun with another {changed}"
            raise run.RunError(msg + "; give the same, or another --out")

        def part(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        self.net.load_state_dict(part("net."))
        self.average.load_state_dict(part("average."))
        for name, parameter in self.net.named_parameters():
            for key, value in part(f"optimizer.{name}.").items():
                # Adam's step counters stay on the CPU, its moments lie as the weights do.
                self._optimizer.state[parameter][key] = (
                    value if key == "step" else torch.empty_like(parameter).copy_(value)
                )
        self.losses = list(tensors.get("losses", torch.empty(0)).to(self.device).unbind())
        self.done, self.best = int(state["step"]), state["best"]


def _identity(settings: FitSettings) -> dict[str, Any]:
    """Everything that the result of a run depends on, as plain JSON values."""
    fields = dataclasses.asdict(settings) | {
        "data": run.digest_of(settings.data),
        "start": settings.start and run.digest_of(settings.start),
        "teachers": [run.digest_of(path) for path in settings.teachers],
        "features": settings.features and run.digest_of(settings.features),
        "ferplus": settings.ferplus and run.digest_of(settings.ferplus),
    }
    return {k: v for k, v in fields.items() if k not in ("out", "checkpoint_steps")}
