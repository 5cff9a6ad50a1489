"""Training of a classifier of clips, whole sets of which fit into memory."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facecloak_train import nets, run
from facecloak_train.data.clips import ClipSet, resampled
from facecloak_train.precision import autocast
from facecloak_train.settings import ClipTraining

_MARGIN_PX: Final = 4
_LATEST: Final = 3
_ASKED: Final = 24
"""Clips that a classifier is asked about at once."""
PROTOCOLS: Final = ("loso", "80-20", "all")

Told = Callable[[float], None]
"""Is told the loss of each step."""


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Clips of one length, what they express, and who does.

    Attributes:
        frames: ``uint8[N, T, 112, 112]``, aligned grey faces.
        labels: ``int64[N]``, indices into ``classes``.
        subjects: N names.
        classes: their names.
    """

    frames: Tensor
    labels: Tensor
    subjects: NDArray[np.str_]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, kept: NDArray[np.bool_]) -> "Clips":
        """Those that are ``True`` in ``bool[N]``."""
        chosen = torch.from_numpy(kept)
        return Clips(self.frames[chosen], self.labels[chosen], self.subjects[kept], self.classes)


def load(found: ClipSet, frames: int) -> Clips:
    """All clips of a set, each resampled to ``frames``."""
    return Clips(
        torch.from_numpy(
            np.stack([resampled(found.clip(number), frames) for number in range(len(found))])
        ),
        torch.from_numpy(found.labels),
        np.array(found.subjects),
        found.classes,
    )


def folds(
    protocol: str, subjects: NDArray[np.str_], seed: int
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name each fold, and who is tested in it: ``bool[N]``.

    Raises:
        RunError: there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        msg = f"there is no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}"
        raise run.RunError(msg)
    if protocol == "loso":
        for subject in np.unique(subjects):
            yield f"without-{subject}", subjects == subject
        return
    test = np.zeros(len(subjects), dtype=bool)
    if protocol == "80-20":
        order = np.random.default_rng(seed).permutation(len(subjects))
        test[order[: round(0.2 * len(subjects))]] = True
    yield protocol, test


def chosen_folds(
    protocol: str, subjects: NDArray[np.str_], seed: int, fold: int
) -> list[tuple[str, NDArray[np.bool_]]]:
    """All folds, or one, counted from 1. Raises RunError where there is no such fold."""
    parts = list(folds(protocol, subjects, seed))
    if not 0 <= fold <= len(parts):
        msg = f"there is no fold {fold}; {protocol} has {len(parts)} here, counted from 1"
        raise run.RunError(msg)
    return parts[fold - 1 : fold] if fold else parts


def fit_clips(net: nn.Module, clips: Clips, how: ClipTraining, told: Told) -> None:
    """Train ``net``, in place: AdamW, one warm-up and a cosine, under bf16 autocast.

    Every choice depends on the seed alone. The clips of a batch are moved, mirrored and begin
    earlier or later together; each has light of its own.
    """
    torch.manual_seed(how.seed)
    generator = torch.Generator().manual_seed(how.seed)
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay
    )
    per_epoch = max(1, len(clips) // how.batch)
    steps, done = per_epoch * how.epochs, 0
    net.train()
    for _ in range(how.epochs):
        order = torch.randperm(len(clips), generator=generator)
        for batch in torch.split(order, how.batch)[:per_epoch]:
            for group in optimizer.param_groups:
                group["lr"] = how.learning_rate * _course(done / steps)
            seen = augmented(clips.frames[batch].float() / 255.0, generator)
            with autocast("cpu"):
                logits = net(seen)
            loss = functional.cross_entropy(
                logits.float(), clips.labels[batch], label_smoothing=how.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            told(loss.item())
            done += 1
    net.eval()


@torch.no_grad()
def clip_logits(
    net: nn.Module, frames: Tensor, change: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """What ``net`` says of clips, in fp32: ``float32[N, classes]``.

    Args:
        net: the classifier; it is put into evaluation mode.
        frames: ``uint8[N, T, 112, 112]``.
        change: what is done to a batch of clips in ``[0, 1]`` before it looks at them.
    """
    net.eval()
    told = []
    for part in torch.split(frames, _ASKED):
        clips = part.float() / 255.0
        told.append(net(clips if change is None else change(clips)))
    return torch.cat(told)


@dataclass(frozen=True, slots=True, eq=False)
class ClipClassifier:
    """A trained classifier of clips, as `fit-clips` keeps it.

    Attributes:
        name: of the architecture.
        net: in evaluation mode; its weights do not learn.
        frames: T, the length of the clips that it takes.
        classes: their names.
    """

    name: str
    net: nn.Module
    frames: int
    classes: tuple[str, ...]


def load_classifier(path: Path) -> ClipClassifier:
    """Read a fold of `fit-clips`. Raises RunError where it is none."""
    tensors, state = run.load_checkpoint(path)
    if "frames" not in state or "classes" not in state:
        msg = (
            f"{path} is no classifier of clips; give a fold that `facecloak-train fit-clips` wrote"
        )
        raise run.RunError(msg)
    frames, classes = int(state["frames"]), tuple(state["classes"])
    net = nets.build_for_clips(state["net"], len(classes), frames)
    net.load_state_dict({k: v for k, v in tensors.items() if k != "answers"})
    return ClipClassifier(
        state["net"], net.eval().requires_grad_(requires_grad=False), frames, classes
    )


def augmented(clips: Tensor, generator: torch.Generator) -> Tensor:
    """Move, mirror, delay and relight a batch, ``float32[N, T, S, S]`` in ``[0, 1]``."""
    frames, size_px = clips.shape[1], clips.shape[-1]
    margin = (_MARGIN_PX,) * 4
    down, right = torch.randint(0, 2 * _MARGIN_PX + 1, (2,), generator=generator).tolist()
    wide = functional.pad(clips, margin, mode="replicate")
    moved = wide[..., down : down + size_px, right : right + size_px]
    if torch.rand((), generator=generator) < 0.5:
        moved = moved.flip(-1)
    late = int(torch.randint(-_LATEST, _LATEST + 1, (), generator=generator))
    moved = moved[:, (torch.arange(frames) + late).clamp(0, frames - 1)]
    light = 0.2 * (2.0 * torch.rand(len(clips), 1, 1, 1, generator=generator) - 1.0)
    return (moved * (1.0 + light)).clamp(0.0, 1.0)


def _course(progress: float) -> float:
    """The learning rate as a share of its peak: up over a tenth, then a cosine to zero."""
    return min(1.0, progress / 0.1 + 0.02) * 0.5 * (1.0 + math.cos(math.pi * progress))
