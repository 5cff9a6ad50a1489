"""Who is asked by a tailor under test, and what it begins with."""

import numpy as np

from facecloak.core.bank import Bank
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Face, Frame
from tests.tailor.test_canvas import PLACE

FACE = Face(1, PLACE)


class Linear:
    """Two classes; ``weights`` tell for the second. Counts how often it was asked."""

    def __init__(self, weights, bias=0.0):
        self.card = ModelCard(
            name="Linear", architecture="linear", labels=("a", "b"), input_px=44, dataset="none"
        )
        self.weights = weights.astype(np.float32)
        self.bias = bias
        self.asked = 0

    def pull(self, crops, labels, rivals=None):
        self.asked += 1
        score = (crops * self.weights).sum(axis=(1, 2)) + self.bias
        logits = np.stack([-score, score], axis=1)
        sign = np.where(labels == 0, 2.0, -2.0).astype(np.float32)
        return logits, sign[:, None, None] * self.weights

    def read(self, crops):
        return self.pull(crops, np.zeros(2, np.int64))[0]


def start(*, eps=4.0, shift=0.0, **parts):
    header = Header(
        eps=eps, shift=shift, strain=0.2 if shift else 0.0, method="t", seed=0, datasets=(),
        victims=(),
    )  # fmt: skip
    return Bank.of(Perturbation(header, np.full((12, 12), eps, np.float32), **parts))


def grey(value=128, at_s=0.0):
    """A frame without texture."""
    return Frame(np.full((200, 280, 3), value, np.uint8), at_s, 0)
