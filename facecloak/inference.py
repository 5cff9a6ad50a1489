"""The one door to ONNX Runtime: a graph on the CPU or on CUDA, its values kept where it runs."""

import importlib.util
import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from facecloak.core.errors import ArtifactError, ConfigError, DeviceError, FaceCloakError

logger = logging.getLogger(__name__)

DEVICES: Final = ("auto", "cpu", "cuda")
INSTALL_CUDA: Final = "Install a new NVIDIA driver and `pip install 'onnxruntime-gpu[cuda,cudnn]'`"
"""Begins a remedy where CUDA does not work. cuBLAS comes with `cudnn`, the rest with `cuda`."""
_preloading: Final = threading.Lock()
_SILENT: Final = 4
_REINSTALL: Final = "Reinstall FaceCloak, or export the model again with `facecloak-train export`."
_RETRY: Final = "Start again, with --device cpu if it stays."
_CUDA: Final = "CUDAExecutionProvider"
_CPU: Final = "CPUExecutionProvider"

Value = Any
"""A tensor where the graph runs: an ``onnxruntime.OrtValue``."""


class Graph:
    """An opened ONNX graph. Threads may share it.

    Attributes:
        device: ``"cpu"`` or ``"cuda"``, where it runs.
        metadata: of the file, by key.

    Args:
        content: the bytes of an ONNX file.
        device: ``"auto"`` takes CUDA where it works.
        name: of the file, for errors.

    Raises:
        ArtifactError: that is no graph that can be opened.
        DeviceError: CUDA was asked for and does not work here.
        ConfigError: there is no such kind of device.
    """

    def __init__(self, content: bytes, device: str, name: str) -> None:
        if device not in DEVICES:
            msg = f"There is no device called {device}."
            raise ConfigError(msg, f"Choose one of {', '.join(DEVICES)}.")
        self._session = _open(content, device, name)
        self._name = name
        self.device = "cuda" if _CUDA in self._session.get_providers() else "cpu"
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, *values: NDArray[Any] | Value) -> list[Value]:
        """Compute the outputs, which stay where the graph runs.

        Args:
            values: the inputs in their order; arrays are brought there, values of an earlier run
                are there already.

        Raises:
            DeviceError: ONNX Runtime failed.
        """
        with _translated(DeviceError, f"{self._name} failed to run on {self.device}.", _RETRY):
            binding = self._session.io_binding()
            for name, value in zip(self._inputs, values, strict=True):
                if isinstance(value, np.ndarray):
                    binding.bind_cpu_input(name, np.ascontiguousarray(value))
                else:
                    binding.bind_ortvalue_input(name, value)
            for name in self._outputs:
                binding.bind_output(name, self.device)
            self._session.run_with_iobinding(binding)
            return list(binding.get_outputs())

    def fetch(self, value: Value) -> NDArray[Any]:
        """A value as an array. Raises DeviceError."""
        with _translated(DeviceError, f"{self._name} cannot be read from {self.device}.", _RETRY):
            array: NDArray[Any] = value.numpy()
            return array

    def bring(self, array: NDArray[Any]) -> Value:
        """An array as a value where the graph runs, to be used more than once."""
        with _translated(DeviceError, f"{self.device} takes no more data.", _RETRY):
            return onnxruntime.OrtValue.ortvalue_from_numpy(array, self.device, 0)


def load(path: Path, device: str) -> tuple[Graph, bytes]:
    """Open the graph in a file, and return it with the file's bytes.

    Raises:
        ArtifactError: the file is missing or no graph.
        DeviceError: CUDA was asked for and does not work here.
        ConfigError: there is no such kind of device.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        msg = f"{path.name} cannot be read: {exc.strerror}."
        raise ArtifactError(msg, "Reinstall FaceCloak.") from exc
    return Graph(content, device, path.name), content


def _open(content: bytes, device: str, name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the judge must leave the other core to the video
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    wanted = [_CPU]
    if device != "cpu" and why_no_cuda() is None:
        _find_cuda()
        wanted.insert(0, _CUDA)
    with _translated(ArtifactError, f"{name} is damaged or not an ONNX model.", _REINSTALL):
        session = onnxruntime.InferenceSession(content, options, providers=wanted)
    if device == "cuda" and _CUDA not in session.get_providers():
        msg = "CUDA was asked for, but ONNX Runtime cannot use it on this machine."
        raise DeviceError(msg, f"{INSTALL_CUDA}, or use --device cpu.")
    return session


def _find_cuda() -> None:
    """Load CUDA and cuDNN from the packages that pip installs, which the system does not search.

    What cannot be loaded is left to the session, which tells whether CUDA works.
    """
    preload = getattr(onnxruntime, "preload_dlls", None)  # from 1.21 on
    if preload is None or importlib.util.find_spec("nvidia") is None:
        return
    # It prints, and standard output may be the video.
    with _preloading, redirect_stdout(io.StringIO()) as told:
        try:
            preload(directory="")
        except (ImportError, OSError, RuntimeError):
            logger.debug("CUDA's packages cannot be loaded", exc_info=True)
    if told.getvalue():
        logger.debug("ONNX Runtime, looking for CUDA: %s", told.getvalue().strip())


@contextmanager
def _translated(kind: type[FaceCloakError], what: str, remedy: str) -> Iterator[None]:
    """Turn ONNX Runtime's exceptions into ours: its own share no base class, some are plain."""
    try:
        yield
    except Exception as exc:
        if not (isinstance(exc, RuntimeError) or type(exc).__module__.startswith("onnxruntime")):
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
