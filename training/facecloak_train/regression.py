"""Multinomial logistic regression, for what needs no network."""

from typing import Final

import torch
from torch import Tensor, nn

_MOST_STEPS: Final = 300


def logistic(features: Tensor, labels: Tensor, classes: int, ridge: float) -> nn.Linear:
    """The reader of some features that is most likely, but for a small ridge.

    Args:
        features: ``float32[N, F]``, finite, of about unit size.
        labels: ``int64[N]``.
        classes: number of them.
        ridge: what the sum of the squared weights costs.

    Returns:
        A layer that turns features into logits, ``float32[N, classes]``.
    """
    reader = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(reader.weight)
    nn.init.zeros_(reader.bias)
    lbfgs = torch.optim.LBFGS(
        reader.parameters(), max_iter=_MOST_STEPS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        lbfgs.zero_grad()
        value = nn.functional.cross_entropy(reader(features), labels)
        value = value + ridge * reader.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    lbfgs.step(loss)  # type: ignore[no-untyped-call]
    return reader.requires_grad_(requires_grad=False)
