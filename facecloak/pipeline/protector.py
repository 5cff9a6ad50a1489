"""What happens to one frame, live and in files alike.

Frame --find--> Faces --cloak--> Frame --> Jury --Rounds--> Guard --Output--> Protected
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facecloak.core.errors import FaceCloakError
from facecloak.core.ports import Cloak, FaceFinder, Shield
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Frame, Image, Output, Verdict
from facecloak.pipeline.guard import Guard
from facecloak.pipeline.jury import Jury
from facecloak.pipeline.news import News

STAGE_FAILURES = (
    FaceCloakError,
    ValueError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    OSError,
    MemoryError,
)
"""What a stage may raise without ending the run: the guard is told, and shields.

Anything else (a ``TypeError``, say) is a mistake in the program and ends it; no frame leaves then
either.
"""


@dataclass(frozen=True, slots=True)
class Protected:
    """What became of one frame.

    Attributes:
        frame: what goes out, with the time and index of the frame that came in.
        output: what kind of picture that is.
        faces: what the finder saw; nothing where it failed or no picture came.
        verdicts: those that arrived with this frame; they may be of an earlier one.
    """

    frame: Frame
    output: Output
    faces: Faces
    verdicts: tuple[Verdict, ...]


class Protector:
    """Finds, cloaks, has judged and lets out one frame after the other. One thread uses it.

    Args:
        finder: finds the faces.
        cloak: adds the perturbation.
        shield: draws what is shown where no picture may be.
        jury: has the cloaked faces judged.
        guard: decides what goes out.
        times: takes the durations of the stages ``find`` and ``cloak``.
    """

    def __init__(
        self,
        *,
        finder: FaceFinder,
        cloak: Cloak,
        shield: Shield,
        jury: Jury,
        guard: Guard,
        times: StageTimes,
    ) -> None:
        self.times = times
        self._finder = finder
        self._cloak = cloak
        self._shield = shield
        self._jury = jury
        self._guard = guard
        self._held: Image | None = None
        self._output_news = News("output")
        self._stage_news = News("stages", "working")

    def protect(self, frame: Frame, *, now_s: float | None = None) -> Protected:
        """Return what may leave instead of ``frame``.

        Args:
            frame: the picture as captured.
            now_s: the time by which proof and hold run out; the frame's own time when not given.
        """
        now_s = frame.captured_s if now_s is None else now_s
        if self._held is not None and self._held.shape != frame.image.shape:
            self._held = None
        faces, cloaked, failure = Faces(), None, None
        try:
            faces = self._find(frame)
            cloaked = self._cover(frame, faces, now_s)
        except STAGE_FAILURES as exc:
            failure = exc
        self._tell(failure, now_s)
        verdicts = self._hear()
        if failure is not None:
            output = self._guard.fail(now_s)
        else:
            output = self._guard.decide(
                now_s,
                found=len(faces.found),
                missing=faces.missing,
                cloaked=cloaked is not None,
            )
        pictures = {Output.CLOAKED: cloaked, Output.HELD: self._held, Output.UNTOUCHED: frame.image}
        height, width = frame.image.shape[:2]
        output, image = self._choose(output, pictures, (width, height), now_s)
        if output is Output.CLOAKED:
            self._held = image
        return Protected(frame.with_image(image), output, faces, verdicts)

    def stand_in(
        self, size: tuple[int, int], *, captured_s: float, index: int, now_s: float
    ) -> Protected:
        """Return what goes out when no picture came.

        Args:
            size: width and height in pixels.
            captured_s: the time to write on the frame.
            index: the index to write on the frame.
            now_s: the time by which the hold runs out.
        """
        verdicts = self._hear()
        pictures = {Output.HELD: self._held}
        output, image = self._choose(self._guard.fail(now_s), pictures, size, now_s)
        return Protected(Frame(image, captured_s, index), output, Faces(), verdicts)

    def close(self) -> None:
        """Dismiss the jury, free the finder's models and forget the held picture."""
        self._held = None
        self._jury.close()
        self._finder.close()

    def _find(self, frame: Frame) -> Faces:
        with self.times.stage("find"):
            return self._finder.find(frame)

    def _cover(self, frame: Frame, faces: Faces, now_s: float) -> Image | None:
        """The cloaked picture, laid before the jury; None where there is no face."""
        if not faces.found:
            return None
        with self.times.stage("cloak"):
            cloaked = self._cloak.apply(frame, faces.found)
        if cloaked.image.shape != frame.image.shape:
            msg = "the cloak changed the size of the picture"
            raise ValueError(msg)
        if np.may_share_memory(cloaked.image, frame.image):
            msg = "the cloak returned the picture as captured"
            raise ValueError(msg)
        self._jury.submit(frame, cloaked, faces.found, now_s=now_s)
        return cloaked.image

    def _hear(self) -> tuple[Verdict, ...]:
        """Tell the guard what the jury has found, and return all of it."""
        rounds = self._jury.rounds()
        for heard in rounds:
            if heard.complete:
                self._guard.record(heard.verdicts, judged_at_s=heard.at_s)
        return tuple(verdict for heard in rounds for verdict in heard.verdicts)

    def _choose(
        self,
        output: Output,
        pictures: Mapping[Output, Image | None],
        size: tuple[int, int],
        now_s: float,
    ) -> tuple[Output, Image]:
        """The picture that goes out; the shield wherever there is none of that kind and size."""
        image = pictures.get(output)
        if image is None or image.shape[1::-1] != size:
            output, image = Output.SHIELD, self._shield.slate(*size)
        self._output_news.tell(output.value, now_s=now_s)
        return output, image

    def _tell(self, failure: Exception | None, now_s: float) -> None:
        if failure is None:
            self._stage_news.tell("working", now_s=now_s)
        else:
            state = f"failing ({type(failure).__name__})"
            self._stage_news.tell(state, now_s=now_s, level=logging.WARNING)
