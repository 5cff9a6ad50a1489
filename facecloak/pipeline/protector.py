"""What happens to one frame, live and in files alike.

Frame --find--> Faces --cloak--> Frame --> Jury --Rounds--> Guard --Output--> Protected
      '--while switched off---------------------------------> Guard --Output--> Protected
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facecloak.core.errors import FaceCloakError
from facecloak.core.ports import Cloak, FaceFinder, Shield
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Fitted, Frame, Image, Output, Verdict
from facecloak.pipeline.guard import Guard
from facecloak.pipeline.jury import Case, Jury
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
        verdicts: those that arrived with this frame; they may be of an earlier one, and of a cloak
            on trial, but not of one that was replaced.
    """

    frame: Frame
    output: Output
    faces: Faces
    verdicts: tuple[Verdict, ...]


class Protector:
    """Finds, cloaks, has judged and lets out one frame after the other.

    One thread uses it; ``switch``, ``renew`` and ``protecting`` are for any thread.

    Args:
        finder: finds the faces.
        cloak: adds the perturbation, until ``renew`` brings another.
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
        self._cloaks = {guard.term: cloak}  # in force, then on trial
        self._shield = shield
        self._jury = jury
        self._guard = guard
        self._newcomer: tuple[Cloak, Cloak] | None = None  # and whom it follows
        self._held: Image | None = None
        self._failing = False
        self._ordering = threading.Lock()
        self._ordered_on = True
        self._ordered_cloak: Cloak | None = None
        self._switched = False
        self._output_news = News("output")
        self._stage_news = News("stages", "working")

    @property
    def protecting(self) -> bool:
        """Whether protection is on, as last ordered by ``switch``; it is at first."""
        with self._ordering:
            return self._ordered_on

    def switch(self, *, on: bool) -> None:
        """Switch protection off, or on again, from the next frame on. Any thread may.

        While it is off every picture leaves as captured, no stage works, and a frame without a
        picture is the shield. Once it is on again everything begins anew: the shield is shown until
        the judges have seen a picture cloaked since.

        Args:
            on: whether faces are protected. Nothing happens where that is so already.
        """
        with self._ordering:
            self._switched |= on != self._ordered_on
            self._ordered_on = on

    def renew(self, cloak: Cloak) -> None:
        """Replace the cloak, as soon as the judges have seen a picture of the new one.

        Any thread may. Until then the present cloak goes on, as long as its own proof lasts. Where
        several come in quick succession, those between are passed over for the newest.

        Args:
            cloak: another strength or perturbation. Only the thread that protects uses it. It
                begins with what the present one knows of the faces.
        """
        with self._ordering:
            self._ordered_cloak = cloak

    def protect(self, frame: Frame, *, now_s: float | None = None) -> Protected:
        """Return what may leave instead of ``frame``.

        Args:
            frame: the picture as captured.
            now_s: the time by which proof and hold run out; the frame's own time when not given.
        """
        now_s = frame.captured_s if now_s is None else now_s
        self._take_orders()
        height, width = frame.image.shape[:2]
        if not self._guard.on:
            raw = {Output.OFF: frame.image}
            output, image = self._choose(self._guard.bypass(), raw, (width, height), now_s)
            return Protected(frame.with_image(image), output, Faces(), ())
        if self._held is not None and self._held.shape != frame.image.shape:
            self._held = None
        faces, made = Faces(), dict[int, Image]()
        failure: Exception | None = None
        try:
            self._introduce()
            faces = self._find(frame)
            made = self._cover(frame, faces, now_s)
        except STAGE_FAILURES as exc:
            failure = exc
        verdicts, fitted = self._hear()
        deaf = self._pass_on(verdicts, fitted)
        failure = failure or deaf
        self._tell(failure, now_s)
        cloaked = made.get(self._guard.term)
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
        output, image = self._choose(output, pictures, (width, height), now_s)
        if output is Output.CLOAKED:
            self._held = image
        return Protected(frame.with_image(image), output, faces, verdicts)

    def rehearse(self, frame: Frame) -> None:
        """Work on a picture that does not leave, so that the cloak knows what the judges read.

        It tells nothing of how long nobody was there: the time of a rehearsal is made up.

        Args:
            frame: at a time before the first one that is protected.
        """
        self.protect(frame)
        self._guard.await_room()

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
        self._take_orders()
        verdicts, fitted = self._hear()
        if (failure := self._pass_on(verdicts, fitted)) is not None:
            self._tell(failure, now_s)
        pictures = {Output.HELD: self._held}
        output, image = self._choose(self._guard.fail(now_s), pictures, size, now_s)
        return Protected(Frame(image, captured_s, index), output, Faces(), verdicts)

    def slate(self, width: int, height: int) -> Image:
        """The shield, ``uint8[height, width, 3]``. Any thread may ask."""
        return self._shield.slate(width, height)

    def close(self) -> None:
        """Dismiss the jury, free the finder's models and forget the held picture."""
        self._held = None
        self._jury.close()
        self._finder.close()

    def _find(self, frame: Frame) -> Faces:
        with self.times.stage("find"):
            return self._finder.find(frame)

    def _take_orders(self) -> None:
        """Do what ``switch`` and ``renew`` were told; a trial that works is not cut short."""
        with self._ordering:
            on, switched, cloak = self._ordered_on, self._switched, self._ordered_cloak
            if len(self._cloaks) > 1 and not (switched or self._failing):
                cloak = None
            if cloak is not None:
                self._ordered_cloak = None
            self._switched = False
        known = [*self._cloaks.values()]
        if switched:
            self._held = None
            self._guard.switch(on=on)
            self._cloaks = {self._guard.term: known[-1] if cloak is None else cloak}
        elif cloak is not None:
            self._cloaks = {self._guard.term: known[0], self._guard.try_out(): cloak}
        if cloak is not None:
            self._newcomer = cloak, known[0]

    def _introduce(self) -> None:
        """Let a new cloak know what the one before it knows; tried once."""
        newcomer, self._newcomer = self._newcomer, None
        if newcomer is not None:
            cloak, former = newcomer
            cloak.follow(former)

    def _cover(self, frame: Frame, faces: Faces, now_s: float) -> dict[int, Image]:
        """The cloaked picture of each term, the newest laid before the jury; none without faces."""
        if not faces.found:
            return {}
        made: dict[int, Frame] = {}
        with self.times.stage("cloak"):
            for term, cloak in self._cloaks.items():
                made[term] = _checked(cloak.apply(frame, faces.found), frame)
        newest = max(made)
        self._jury.submit(Case(frame, made[newest], faces.found, now_s, newest))
        return {term: cloaked.image for term, cloaked in made.items()}

    def _hear(self) -> tuple[tuple[Verdict, ...], tuple[Fitted, ...]]:
        """Tell the guard what the jury has found, and return what still counts of it."""
        verdicts: list[Verdict] = []
        fitted: list[Fitted] = []
        for heard in self._jury.rounds():
            if not self._guard.hears(heard.term):
                continue
            verdicts += heard.verdicts
            fitted += heard.fitted
            if heard.complete:
                self._guard.record(heard.verdicts, judged_at_s=heard.at_s, term=heard.term)
        self._cloaks = {n: cloak for n, cloak in self._cloaks.items() if n >= self._guard.term}
        return tuple(verdicts), tuple(fitted)

    def _pass_on(
        self, verdicts: tuple[Verdict, ...], fitted: tuple[Fitted, ...]
    ) -> Exception | None:
        """Let the cloaks know what the jury found; what one raises is a failure of the frame."""
        try:
            for cloak in self._cloaks.values():
                if verdicts:
                    cloak.hear(verdicts)
                if fitted:
                    cloak.wear(fitted)
        except STAGE_FAILURES as exc:
            return exc
        return None

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
        level = logging.WARNING if output is Output.OFF else logging.INFO
        self._output_news.tell(output.value, now_s=now_s, level=level)
        return output, image

    def _tell(self, failure: Exception | None, now_s: float) -> None:
        self._failing = failure is not None
        if failure is None:
            self._stage_news.tell("working", now_s=now_s)
        else:
            state = f"failing ({type(failure).__name__})"
            self._stage_news.tell(state, now_s=now_s, level=logging.WARNING)


def _checked(cloaked: Frame, frame: Frame) -> Frame:
    """What the cloak made of ``frame``; raises ValueError where it cannot be that."""
    if cloaked.image.shape != frame.image.shape:
        msg = "the cloak changed the size of the picture"
        raise ValueError(msg)
    if np.may_share_memory(cloaked.image, frame.image):
        msg = "the cloak returned the picture as captured"
        raise ValueError(msg)
    return cloaked
