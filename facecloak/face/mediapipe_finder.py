"""MediaPipe's face models, and the finder made of them. Nothing else imports mediapipe."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

import cv2
import numpy as np

from facecloak.core.errors import ArtifactError, DeviceError
from facecloak.core.geometry import TEMPLATE_INDICES
from facecloak.core.types import Faces, Frame, Image, Points
from facecloak.face.search import Models, Search
from facecloak.face.smoothing import SmoothingConfig
from facecloak.face.tracking import TrackingConfig

os.environ.setdefault("GLOG_minloglevel", "2")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_REMEDY: Final = "Reinstall it: pip install --force-reinstall 'mediapipe>=0.10.14,<0.10.30'."

try:
    from mediapipe.python.solutions import face_detection, face_mesh
except ImportError as exc:
    _what = f"MediaPipe's face solutions cannot be imported ({exc})."
    raise ArtifactError(_what, _REMEDY) from exc


class _InCaller:
    """Makes a solution work in the thread that asks it.

    By default a graph hands each of its steps to a pool of threads. Its steps follow one another
    here, so that waking a thread for each is all that the pool adds: most where pictures come
    slowly, as from a camera, and every thread has fallen asleep (benchmarks/finder.py).
    """

    def _initialize_graph_interface(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401
        graph = super()._initialize_graph_interface(*given, **named)  # type: ignore[misc]
        del graph.executor[:]
        graph.executor.add().type = "ApplicationThreadExecutor"
        return graph


class _Mesh(_InCaller, face_mesh.FaceMesh):  # type: ignore[misc]
    pass


class _Detector(_InCaller, face_detection.FaceDetection):  # type: ignore[misc]
    pass


class _Model:
    """One MediaPipe graph. A context manager: leaving it frees the graph."""

    def __init__(self, solution: Any, **options: Any) -> None:  # noqa: ANN401
        try:
            with _stderr_closed():
                self._graph = solution(**options)
                self._graph.process(np.zeros((64, 64, 3), np.uint8))  # loads the model files
        except (OSError, RuntimeError, ValueError) as exc:
            what = f"MediaPipe cannot load its face models ({type(exc).__name__})."
            raise ArtifactError(what, _REMEDY) from exc

    def _process(self, rgb: Image) -> Any:  # noqa: ANN401
        try:
            return self._graph.process(rgb)
        except (RuntimeError, ValueError) as exc:
            what = f"MediaPipe failed on a frame of {rgb.shape[1]}x{rgb.shape[0]} pixels."
            raise DeviceError(what, "Start again; if it stays, " + _REMEDY) from exc

    def close(self) -> None:
        """Free the graph. A second call does nothing."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


class MeshModel(_Model):
    """Some of the dense landmarks of up to ``faces`` faces.

    Args:
        faces: the most faces it looks for.
        video: whether pictures follow each other in time, so that it may track.
        confidence: the least score of a detection.
        indices: which of the 468 landmarks; by default those that an expression hardly moves.

    Raises:
        ArtifactError: a model file of MediaPipe is missing or broken.
    """

    def __init__(
        self,
        *,
        faces: int,
        video: bool,
        confidence: float = 0.5,
        indices: Sequence[int] = TEMPLATE_INDICES,
    ) -> None:
        self._indices = indices
        super().__init__(
            _Mesh,
            static_image_mode=not video,
            max_num_faces=faces,
            min_detection_confidence=confidence,
        )

    def landmarks(self, rgb: Image) -> list[Points]:
        """Return pixel coordinates for each face: ``float64[N, 2]``, one row for each index.

        Raises:
            DeviceError: the graph failed.
        """
        faces = self._process(rgb).multi_face_landmarks or ()
        return [_pixels([face.landmark[i] for i in self._indices], rgb) for face in faces]


class DetectorModel(_Model):
    """The BlazeFace detector: near faces (within 2 m) or, with ``far``, those within 5 m.

    Raises:
        ArtifactError: a model file of MediaPipe is missing or broken.
    """

    def __init__(self, *, far: bool, confidence: float = 0.5) -> None:
        super().__init__(
            _Detector,
            model_selection=int(far),
            min_detection_confidence=confidence,
        )

    def keypoints(self, rgb: Image) -> list[tuple[Points, float]]:
        """Return ``float64[6, 2]`` pixel coordinates and a score for each face, best first.

        They are the right eye, left eye, nose tip, mouth, right and left ear tragion; the score is
        in ``[0, 1]``.

        Raises:
            DeviceError: the graph failed.
        """
        found = sorted(self._process(rgb).detections or (), key=lambda one: -one.score[0])
        return [
            (_pixels(one.location_data.relative_keypoints, rgb), float(one.score[0]))
            for one in found
        ]


class MediaPipeFinder:
    """Finds, tracks and aligns faces; a FaceFinder. A context manager: leaving frees the models.

    Args:
        faces: how many near faces a mesh follows by itself; more are found, but cost more.
        every: look at one more view for small faces each so many frames.
        live: take these looks in a thread of its own, off the hot path; otherwise in turn, so that
            a file gives the same result each time.
        tracking: how long a face is believed in.
        smoothing: how steady its place is.

    Raises:
        ArtifactError: a model file of MediaPipe is missing or broken.
    """

    def __init__(
        self,
        *,
        faces: int = 4,
        every: int = 4,
        live: bool = False,
        tracking: TrackingConfig = TrackingConfig(),  # noqa: B008
        smoothing: SmoothingConfig = SmoothingConfig(),  # noqa: B008
    ) -> None:
        with contextlib.ExitStack() as opened:
            models = Models(
                group=opened.enter_context(MeshModel(faces=faces, video=True)),
                solo=opened.enter_context(MeshModel(faces=1, video=True)),
                near=opened.enter_context(DetectorModel(far=False)),
                still=opened.enter_context(MeshModel(faces=1, video=False)),
                far=opened.enter_context(DetectorModel(far=True)),
                scout=opened.enter_context(DetectorModel(far=True)) if live else None,
            )
            self._open = opened.pop_all()
        self._search = Search(models, every, tracking, smoothing)
        self._open.callback(self._search.close)

    def find(self, frame: Frame) -> Faces:
        """Return the faces of this frame. Frames come in the order of their time.

        Raises:
            DeviceError: a model, or OpenCV, failed on the frame.
        """
        try:
            return self._search.find(frame)
        except cv2.error as exc:
            what = (
                f"OpenCV failed on a frame of {frame.image.shape[1]}x{frame.image.shape[0]} pixels."
            )
            raise DeviceError(what, "Use a smaller picture.") from exc

    def start_over(self) -> None:
        """Begin the round of views for small faces anew.

        Which of them a frame's turn is depends on the frames before. Where pictures stand alone,
        what is found in one must not.
        """
        self._search.start_over()

    def close(self) -> None:
        """Free the models. A second call does nothing."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def _pixels(landmarks: Any, rgb: Image) -> Points:  # noqa: ANN401
    """MediaPipe counts in shares of the picture from its edge, we in pixel centres."""
    shares = np.array([(point.x, point.y) for point in landmarks], dtype=np.float64)
    return shares * (rgb.shape[1], rgb.shape[0]) - 0.5


@contextlib.contextmanager
def _stderr_closed() -> Iterator[None]:
    """MediaPipe's C++ logs to the file itself whatever GLOG_minloglevel says, so close that."""
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
