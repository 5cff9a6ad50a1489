"""A shipped classifier with its card."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak import inference
from facecloak.core import modelcard
from facecloak.core.errors import ArtifactError
from facecloak.verify.criteria import Logits

_REINSTALL: Final = "Reinstall FaceCloak, or export the model again with `facecloak-train export`."


class OnnxClassifier:
    """A classifier of aligned faces, or of clips of them.

    Attributes:
        card: what it says about itself.
        device: ``"cpu"`` or ``"cuda"``, where it runs.

    Args:
        path: an ONNX file with a FaceCloak card.
        device: ``"auto"`` takes CUDA where it works.

    Raises:
        ArtifactError: the file is missing, damaged, or not the one on its card.
        DeviceError: CUDA was asked for and does not work here.
        ConfigError: there is no such kind of device.
    """

    def __init__(self, path: Path, device: str = "auto") -> None:
        self._graph, content = inference.load(path, device)
        self.card = modelcard.parse(self._graph.metadata.get(modelcard.KEY), path.name)
        modelcard.check_seal(content, self.card, path.name)
        self.device = self._graph.device

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """Classify.

        Args:
            crops: grey, S as on the card: ``uint8[N, S, S]``, of clips ``uint8[N, T, S, S]``.

        Returns:
            ``float32[N, C]``, finite.

        Raises:
            DeviceError: ONNX Runtime failed.
            ArtifactError: the classifier answers in another form than its card says, or it is of
                clips and these are still faces, or the other way round.
        """
        if crops.ndim != (4 if self.card.is_clip else 3):
            kinds = ("clips", "still faces") if self.card.is_clip else ("still faces", "clips")
            msg = f"{self.card.name} reads {kinds[0]}, not {kinds[1]}."
            raise ArtifactError(msg, f"Take a classifier of {kinds[1]}.")
        low, high = self.card.input_range
        planes = crops if self.card.is_clip else crops[:, None]
        faces = planes.astype(np.float32) * np.float32((high - low) / 255.0)
        logits: Logits = self._graph.fetch(self._graph.run(faces + np.float32(low))[0])
        if logits.shape != (len(crops), len(self.card.labels)) or not np.isfinite(logits).all():
            msg = f"{self.card.name} does not answer as its card says."
            raise ArtifactError(msg, _REINSTALL)
        return logits
