"""What all published methods share: a budget, an order of the faces, and the clean answers."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from facecloak_train.attacks.individual import Net

_ROOM = 1.0 - 1e-6
"""A vector is shortened to this part of the radius, so that rounding does not take it out again."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A ball that the perturbation stays in.

    Attributes:
        eps: its radius, in units of the full range of a pixel.
        norm: of the whole perturbation: infinity or 2.

    Raises:
        ValueError: another norm is asked for, or the radius is not positive.
    """

    eps: float
    norm: float = math.inf

    def __post_init__(self) -> None:
        if self.norm not in (2.0, math.inf):
            msg = f"a budget is measured by the norm 2 or infinity, not {self.norm}"
            raise ValueError(msg)
        if not self.eps > 0:
            msg = f"a budget must be positive, not {self.eps}"
            raise ValueError(msg)

    def project(self, perturbation: Tensor) -> Tensor:
        """The nearest one in the ball; what is in it stays as it is, bit for bit."""
        if self.norm == 2.0:
            length = perturbation.double().norm()
            inside = length <= self.eps
            factor = torch.where(inside, 1.0, self.eps * _ROOM / length.clamp_min(1e-300))
            return perturbation * factor.to(perturbation.dtype)
        limit = np.float32(self.eps)
        if limit > self.eps:
            limit = np.nextafter(limit, np.float32(0.0))
        return perturbation.clamp(-float(limit), float(limit))

    def steepest(self, gradient: Tensor) -> Tensor:
        """The step of length ``eps`` that goes farthest along ``gradient``."""
        if self.norm == 2.0:
            step: Tensor = self.eps * gradient / gradient.norm().clamp_min(1e-20)
            return step
        return self.eps * gradient.sign()

    def entry(self, size: int) -> float:
        """How large each of ``size`` entries is where all are alike and the budget is spent."""
        return self.eps / math.sqrt(size) if self.norm == 2.0 else self.eps


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long a method may work, and in which order.

    Attributes:
        passes: the most passes over the faces.
        batch: faces per step.
        seed: of the order of the faces and of every other random choice.
        after_pass: is given the perturbation after each pass.

    Raises:
        ValueError: there is no pass or no face per step.
    """

    passes: int
    batch: int
    seed: int
    after_pass: Callable[[Tensor], None] | None = None

    def __post_init__(self) -> None:
        if self.passes < 1 or self.batch < 1:
            msg = f"a plan needs a pass and a face per step, not {self.passes} and {self.batch}"
            raise ValueError(msg)

    def visits(self, count: int) -> Iterator[Sequence[Tensor]]:
        """For each pass, batches of indices, ``int64[batch]``, that order all faces at random."""
        generator = self.generator(0)
        for _ in range(self.passes):
            yield torch.split(torch.randperm(count, generator=generator), self.batch)

    def generator(self, stream: int) -> torch.Generator:
        """A source of randomness; ``stream`` 0 orders the faces."""
        seeds = np.random.SeedSequence([self.seed, stream]).generate_state(1)
        return torch.Generator().manual_seed(int(seeds[0]))

    def report(self, perturbation: Tensor) -> None:
        """Show the perturbation after a pass to whoever wants to see it."""
        if self.after_pass is not None:
            self.after_pass(perturbation)


def blank(faces: Tensor) -> Tensor:
    """No perturbation yet: zeros, ``float32[1, S, S]``, for faces ``float32[N, 1, S, S]``.

    Raises:
        ValueError: there is no face.
    """
    if not len(faces):
        msg = "a universal perturbation needs at least one training face"
        raise ValueError(msg)
    return torch.zeros_like(faces[0])


def logits_of(net: Net, faces: Tensor, perturbation: Tensor | None = None) -> Tensor:
    """What ``net`` says of the faces, with a perturbation if one is given.

    Returns:
        ``float32[N, classes]``, without a gradient.

    Raises:
        ValueError: ``net`` is in training mode.
    """
    if isinstance(net, nn.Module) and net.training:
        msg = "an attack needs the net in evaluation mode; call net.eval() before"
        raise ValueError(msg)
    with torch.no_grad():
        parts = torch.split(faces, 256)
        if perturbation is not None:
            parts = tuple(add(part, perturbation) for part in parts)
        return torch.cat([net(part).float() for part in parts])


def add(faces: Tensor, perturbation: Tensor) -> Tensor:
    """The faces, ``float32[N, 1, S, S]``, with the perturbation, within ``[0, 1]``."""
    return (faces + perturbation).clamp(0.0, 1.0)
