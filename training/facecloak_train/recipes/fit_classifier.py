"""Train an expression classifier on FER2013 and keep the epoch that PublicTest likes best.

    facecloak-train prepare fer2013 --source fer2013.csv --out runs/fer2013.npz
    facecloak-train fit --data runs/fer2013.npz --out runs/vgg19

Needs 1 GB of memory. Writes ``best.safetensors`` (the averaged weights), ``metrics.jsonl``,
``run.json``, and ``last.safetensors``, from which a killed run goes on to the same result: the
order of the batches, the augmentation and the dropout of a step depend on the seed and the step's
number alone. PrivateTest is looked at once, after the last epoch, with ten crops.
"""

import dataclasses
import functools
import logging
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from facecloak_train import nets, run
from facecloak_train.augment import augment, erase
from facecloak_train.data import fer2013
from facecloak_train.hardening import attacked_accuracy, hardened_loss
from facecloak_train.measure.accuracy import centre_crop_accuracy, ten_crop_accuracy
from facecloak_train.optimization import one_cycle, optimizer
from facecloak_train.settings import FitSettings
from facecloak_train.teachers import load_weights, taught

logger = logging.getLogger(__name__)


def fit_classifier(settings: FitSettings) -> float:
    """Train, or go on training, and return the ten-crop accuracy on PrivateTest in ``[0, 1]``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    splits = fer2013.read_npz(settings.data)
    training = Training(settings, splits["Training"], device)
    last = settings.out / "last.safetensors"
    if last.is_file():
        training.restore(*run.load_checkpoint(last))
        run.forget_metrics(settings.out, after_epoch=training.done // training.per_epoch)
        logger.info("resuming %s at step %d of %d", settings.out, training.done, training.steps)

    run.describe(settings.out, dataclasses.asdict(settings), run.digest_of(settings.data))

    progress = tqdm(
        total=training.steps, initial=training.done, unit="step", desc=settings.net, smoothing=0.05
    )
    started_s = time.monotonic()
    while training.done < training.steps:
        training.step()
        progress.update()
        progress.set_postfix(epoch=training.epoch, loss=f"{np.mean(training.losses[-50:]):.3f}")
        if training.done % training.per_epoch == 0:
            average = training.average.module
            figures = _public(average, splits["PublicTest"], settings, device)
            run.append_metrics(
                settings.out,
                {"epoch": training.epoch, "loss": float(np.mean(training.losses))}
                | figures
                | {"seconds": time.monotonic() - started_s},
            )
            training.losses.clear()
            if min(figures.values()) > training.best:
                training.best = min(figures.values())
                run.save_checkpoint(
                    settings.out / "best.safetensors",
                    average.state_dict(),
                    {
                        "net": settings.net,
                        "epoch": training.epoch,
                        "public": figures["public"],
                        "input_px": settings.input_px,
                    },
                )
        if (
            training.done % training.per_epoch == 0
            or training.done % settings.checkpoint_steps == 0
        ):
            run.save_checkpoint(last, *training.snapshot())
    progress.close()

    tensors, state = run.load_checkpoint(settings.out / "best.safetensors")
    training.net.load_state_dict(tensors)
    public, private = (
        ten_crop_accuracy(training.net, splits[name], settings.input_px, device)
        for name in ("PublicTest", "PrivateTest")
    )
    run.append_metrics(
        settings.out,
        {
            "best_epoch": state["epoch"],
            "public_ten_crop": public,
            "private_ten_crop": private,
        },
    )
    logger.info(
        "%s, epoch %d, ten crops: PublicTest %.2f %%, PrivateTest %.2f %%",
        settings.net,
        state["epoch"],
        100 * public,
        100 * private,
    )
    return private


def _public(
    net: nn.Module, faces: fer2013.Faces, settings: FitSettings, device: torch.device
) -> dict[str, float]:
    """The accuracies by which an epoch is chosen: of a hardened network the attacked one counts."""
    figures = {"public": centre_crop_accuracy(net, faces, settings.input_px, device)}
    if settings.hardening.attack != "none":
        figures["public_attacked"] = attacked_accuracy(net, faces, settings, device)
    return figures


class Training:
    """The state of a run: the network, its moving average, the optimiser, and how far it got.

    Attributes:
        net: what is trained.
        average: the exponential moving average of its weights and batch statistics.
        done, steps, per_epoch: steps taken, in all, and in an epoch.
        best: highest PublicTest accuracy so far, under the attack of the settings if there is one.
        losses: of the steps since the last epoch began or was resumed.
    """

    def __init__(self, settings: FitSettings, faces: fer2013.Faces, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self._settings = settings
        self._identity = _identity(settings)
        self._device = device
        self._images = torch.from_numpy(faces.images)[:, None]
        self._labels = torch.from_numpy(faces.labels)
        self.net = self._fresh(settings.net)
        if settings.start is not None:
            load_weights(self.net, settings.start, self._images, settings.input_px, settings.seed)
        average = get_ema_multi_avg_fn(settings.average_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.net, multi_avg_fn=average, use_buffers=True)
        self._optimizer = optimizer(self.net, settings)
        self.per_epoch = len(faces) // settings.batch
        self.steps = self.per_epoch * settings.epochs
        self.done = 0
        self.best = 0.0
        self.losses: list[float] = []

    @property
    def epoch(self) -> int:
        """The epoch that the last step belongs to, counted from one."""
        return 1 + max(0, self.done - 1) // self.per_epoch

    def _fresh(self, name: str) -> nn.Module:
        """An untrained network, whose channels come last because that is faster."""
        net = nets.build(name, len(fer2013.LABELS)).to(self._device)
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    @functools.cached_property
    def _wanted(self) -> Tensor:
        """What the network is to answer, ``float32[N, classes]``: labels, mixed with teachers."""
        settings = self._settings
        labels = one_hot(self._labels, len(fer2013.LABELS)).float()
        if not settings.teachers:
            return labels
        cache = settings.out / "taught.safetensors"
        told = taught(
            settings.teachers, self._fresh, self._images, settings.input_px, settings.seed, cache
        )
        return torch.lerp(labels, told, settings.teachers_share)

    def step(self) -> None:
        """Take one step."""
        settings = self._settings
        epoch, within = divmod(self.done, self.per_epoch)
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(self._images))
        chosen = torch.from_numpy(order[within * settings.batch : (within + 1) * settings.batch])
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self.done)
        torch.manual_seed(settings.seed * 1_000_003 + self.done)  # dropout
        size_px = settings.small_px if epoch < settings.small_epochs else settings.input_px
        batch = augment(self._images[chosen].float() / 255.0, size_px, settings.jitter, generator)
        batch = erase(batch, settings.erase, generator)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * one_cycle(self.done / self.steps)
        wanted = self._wanted[chosen].to(self._device)
        with torch.autocast(self._device.type, torch.bfloat16):
            loss = hardened_loss(
                self.net,
                batch.to(self._device),
                wanted,
                settings.hardening,
                settings.label_smoothing,
                generator,
            )
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), settings.gradient_norm)
        self._optimizer.step()
        self.average.update_parameters(self.net)
        self.losses.append(loss.item())
        self.done += 1

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
            | moments,
            {"step": self.done, "best": self.best, "settings": self._identity},
        )

    def restore(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Go back to a snapshot.

        Raises:
            RunError: it belongs to a run with other settings, which this one cannot continue.
        """
        begun, asked = state["settings"], self._identity
        if begun != asked:
            changed = ", ".join(sorted(k for k in asked if begun.get(k) != asked[k]))
            msg = f"the run in {self._settings.out} was begun with another {changed}"
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
        self.done, self.best = int(state["step"]), state["best"]


def _identity(settings: FitSettings) -> dict[str, Any]:
    """Everything that the result of a run depends on, as plain JSON values."""
    fields = dataclasses.asdict(settings) | {
        "data": run.digest_of(settings.data),
        "start": settings.start and run.digest_of(settings.start),
        "teachers": [run.digest_of(path) for path in settings.teachers],
    }
    return {k: v for k, v in fields.items() if k not in ("out", "checkpoint_steps")}
