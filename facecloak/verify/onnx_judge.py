"""The one door to ONNX Runtime: a classifier with its card, on the CPU or on CUDA."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from facecloak.core import modelcard
from facecloak.core.errors import ArtifactError, ConfigError, DeviceError, FaceCloakError
from facecloak.verify.criteria import Logits

DEVICES: Final = ("auto", "cpu", "cuda")
_SILENT: Final = 4
_REINSTALL: Final = "Reinstall FaceCloak, or export the model again with `facecloak-train export`."
_RETRY: Final = "Start again, with --device cpu if it stays."
_CUDA: Final = "CUDAExecutionProvider"
_CPU: Final = "CPUExecutionProvider"


class OnnxClassifier:
    """A classifier of aligned faces.

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
        if device not in DEVICES:
            msg = f"There is no device called {device}."
            raise ConfigError(msg, f"Choose one of {', '.join(DEVICES)}.")
        try:
            content = path.read_bytes()
        except OSError as exc:
            msg = f"The classifier {path.name} cannot be read: {exc.strerror}."
            raise ArtifactError(msg, "Reinstall FaceCloak.") from exc
        self._session = _open(content, device, path.name)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.card = modelcard.parse(metadata.get(modelcard.KEY), path.name)
        modelcard.check_seal(content, self.card, path.name)
        self.device = "cuda" if _CUDA in self._session.get_providers() else "cpu"
        self._input = self._session.get_inputs()[0].name

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """Classify.

        Args:
            crops: ``uint8[N, S, S]``, grey, S as on the card.

        Returns:
            ``float32[N, C]``, finite.

        Raises:
            DeviceError: ONNX Runtime failed.
            ArtifactError: the classifier answers in another form than its card says.
        """
        low, high = self.card.input_range
        faces = crops[:, None].astype(np.float32) * np.float32((high - low) / 255.0)
        with _translated(DeviceError, f"{self.card.name} failed to run on {self.device}.", _RETRY):
            logits: Logits = self._session.run(None, {self._input: faces + np.float32(low)})[0]
        if logits.shape != (len(crops), len(self.card.labels)) or not np.isfinite(logits).all():
            msg = f"{self.card.name} does not answer as its card says."
            raise ArtifactError(msg, _REINSTALL)
        return logits


def _open(content: bytes, device: str, name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the judge must leave the other core to the video
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    wanted = [_CPU]
    if device != "cpu" and why_no_cuda() is None:
        wanted.insert(0, _CUDA)
    with _translated(ArtifactError, f"{name} is damaged or not an ONNX model.", _REINSTALL):
        session = onnxruntime.InferenceSession(content, options, providers=wanted)
    if device == "cuda" and _CUDA not in session.get_providers():
        msg = "CUDA was asked for, but ONNX Runtime cannot use it on this machine."
        raise DeviceError(
            msg, "Install the NVIDIA driver, CUDA 12 and cuDNN 9, or use --device cpu."
        )
    return session


@contextmanager
def _translated(kind: type[FaceCloakError], what: str, remedy: str) -> Iterator[None]:
    """Turn ONNX Runtime's exceptions, which share no base class of their own, into ours."""
    try:
        yield
    except Exception as exc:
        if not type(exc).__module__.startswith("onnxruntime"):
            raise
        raise kind(what, remedy) from exc


def providers() -> tuple[str, ...]:
    """The execution providers that this ONNX Runtime was built with."""
    return tuple(onnxruntime.get_available_providers())


def why_no_cuda() -> str | None:
    """Why CUDA is not even tried here; None where it is."""
    if _CUDA not in providers():
        return "this ONNX Runtime was built without CUDA"
    if not _has_gpu():
        return "no NVIDIA driver is loaded"
    return None


def _has_gpu() -> bool:
    """Whether an NVIDIA driver is loaded; asking CUDA without one prints errors of its own."""
    return not Path("/proc").is_dir() or Path("/proc/driver/nvidia/version").exists()
