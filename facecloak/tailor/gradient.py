"""The gradient of a classifier whose weights stand still, as an ONNX graph with a card."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak import inference
from facecloak.core import modelcard
from facecloak.core.errors import ArtifactError

PAIR: Final = 2
"""How many faces the graph takes at a time."""

Crops = NDArray[np.float32]
"""``float32[2, S, S]``, grey, in ``[0, 1]``."""


class GradientModel:
    """What ``facecloak-train export-gradient`` writes.

    Attributes:
        card: what it says about itself; ``input_px`` is the side of the faces that it takes.

    Args:
        path: the file.
        device: ``"auto"`` takes CUDA where it works.

    Raises:
        ArtifactError: the file is missing, damaged, not the one on its card, or no gradient.
        DeviceError: CUDA was asked for and does not work here.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self._graph, content = inference.load(path, device)
        self.card = modelcard.parse(self._graph.metadata.get(modelcard.KEY), path.name)
        modelcard.check_seal(content, self.card, path.name)
        if self.card.task != modelcard.GRADIENT:
            msg = f"{path.name} is a classifier, not the gradient of one."
            raise ArtifactError(msg, "Make it with `facecloak-train export-gradient`.")

    def read(self, crops: Crops) -> NDArray[np.float32]:
        """What is read in two faces: logits, ``float32[2, C]``. Raises DeviceError."""
        nobody = np.zeros((PAIR, len(self.card.labels)), np.float32)
        logits, _ = self._graph.run(crops[:, None], nobody, nobody)
        return self._graph.fetch(logits)

    def pull(
        self,
        crops: Crops,
        labels: NDArray[np.int64],
        rivals: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What is read in two faces, and what would lead further away from these labels.

        Args:
            crops: as the card says.
            labels: ``int64[2]``, the class that is to lose in each.
            rivals: ``bool[2, C]``, which classes may win instead; all if not given.

        Returns:
            Logits, ``float32[2, C]``, and the gradient of the lead of the best rival,
            ``float32[2, S, S]``; zero where that lead is large.

        Raises:
            DeviceError: ONNX Runtime failed.
        """
        own = np.zeros((PAIR, len(self.card.labels)), np.float32)
        own[np.arange(PAIR), labels] = 1.0
        may_win = np.ones_like(own) if rivals is None else rivals
        values = self._graph.run(crops[:, None], own, (may_win * (1.0 - own)).astype(np.float32))
        logits, gradient = (self._graph.fetch(value) for value in values)
        return logits, gradient[:, 0]
