"""Two ways to run a judge: in the caller's thread for files, in its own for live pictures.

Case --submit--> Judge --Round--> rounds
                   '--> Tailor --Round--'
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from facecloak.core.errors import FaceCloakError
from facecloak.core.ports import Judge, Tailor
from facecloak.core.stats import StageTimes
from facecloak.core.types import Face, Fitted, Frame, Verdict
from facecloak.pipeline.mailbox import Mailbox
from facecloak.pipeline.worker import Worker

logger = logging.getLogger(__name__)

GIVES_WAY: Final = 10
"""How much "nicer" the thread that fits is on Linux: where a call takes the cores, pictures come
first."""


@dataclass(frozen=True, slots=True)
class Round:
    """What the judge made of one frame.

    Attributes:
        at_s: the time that came with the frame.
        verdicts: one for each classifier and face.
        complete: whether every face of the frame got a verdict.
        term: the number that came with the frame, of the cloak that made it.
        fitted: what was made to measure for its faces.
    """

    at_s: float
    verdicts: tuple[Verdict, ...]
    complete: bool
    term: int = 0
    fitted: tuple[Fitted, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One frame for the judge.

    Attributes:
        clean: as captured.
        cloaked: as it would leave.
        faces: whose place is known in it, each cloaked.
        at_s: the time at which the guard sees it.
        term: the guard's number for the cloak that made it.
    """

    clean: Frame
    cloaked: Frame
    faces: tuple[Face, ...]
    at_s: float
    term: int = 0

    def show(self, judge: Judge) -> None:
        """Let the judge see the frame, whatever that raises."""
        judge.watch(self.clean, self.cloaked, self.faces)

    def hear(self, judge: Judge, times: StageTimes) -> Round:
        """Ask the judge, whatever that raises."""
        with times.stage("judge"):
            verdicts = judge.judge(self.clean, self.cloaked, self.faces)
        judged = {verdict.track for verdict in verdicts}
        complete = judged.issuperset(face.track for face in self.faces)
        return Round(self.at_s, verdicts, complete, self.term)


class _Fitting:
    """A tailor that is not asked again once it failed: what the faces have then stays on them.

    Args:
        tailor: None where nothing is made to measure.
        times: takes the duration of the stage ``tailor``.
    """

    def __init__(self, tailor: Tailor | None, times: StageTimes) -> None:
        self._tailor = tailor
        self._times = times
        self._term: int | None = None

    def fit(self, case: Case, verdicts: Sequence[Verdict]) -> tuple[Fitted, ...]:
        if self._tailor is None:
            return ()
        try:
            if case.term != self._term:  # what was made in the last one may have come too late
                self._term = case.term
                self._tailor.hand_out_again()
            with self._times.stage("tailor"):
                return self._tailor.fit(case.clean, case.faces, verdicts)
        except (FaceCloakError, ValueError) as exc:
            self._tailor = None
            what = "nothing is made to measure any more; the perturbation for all faces stays: %s"
            logger.warning(what, exc)
            return ()


class Jury(Protocol):
    """Has frames judged, not necessarily all of them nor at once. One thread uses it."""

    def submit(self, case: Case) -> None:
        """Offer one frame; never waits for another thread."""
        ...

    def rounds(self) -> tuple[Round, ...]:
        """Return what was judged since last asked, oldest first."""
        ...

    def close(self) -> None:
        """Judge no more. Can be called twice."""
        ...


class _Pace:
    """Lets one pass every so often; also after time ran backwards."""

    def __init__(self, every_s: float) -> None:
        if not every_s >= 0:
            msg = f"every_s must be 0 or more seconds, got {every_s}"
            raise ValueError(msg)
        self._every_s = every_s
        self._passed_s = float("-inf")

    def due(self, now_s: float) -> bool:
        if 0 <= now_s - self._passed_s < self._every_s:
            return False
        self._passed_s = now_s
        return True


class InlineJury:
    """Judges in the caller's thread, so that a frame's own verdicts vouch for it. Deterministic.

    Args:
        judge: whom to ask; what it raises comes out of ``submit``.
        times: takes the duration of the stage ``judge``.
        every_s: least time between two frames judged, in seconds of frame time; 0 judges all.
        tailor: makes perturbations to measure for the faces that were judged.
    """

    def __init__(
        self,
        judge: Judge,
        times: StageTimes,
        *,
        every_s: float = 0.0,
        tailor: Tailor | None = None,
    ) -> None:
        self._judge = judge
        self._fitting = _Fitting(tailor, times)
        self._times = times
        self._pace = _Pace(every_s)
        self._rounds: list[Round] = []

    def submit(self, case: Case) -> None:
        """Show the frame, and have it judged now, if it is due."""
        case.show(self._judge)
        if self._pace.due(case.at_s):
            heard = case.hear(self._judge, self._times)
            self._rounds.append(replace(heard, fitted=self._fitting.fit(case, heard.verdicts)))

    def rounds(self) -> tuple[Round, ...]:
        """Return what was judged since last asked."""
        rounds, self._rounds = tuple(self._rounds), []
        return rounds

    def close(self) -> None:
        """Nothing to do: there is no thread."""


class ThreadJury:
    """Shows the newest frame in a thread of its own, and has one judged now and then, at once.

    A judge that raises or hangs gives no more verdicts: the guard's proof runs out.

    Args:
        judge: whom to ask; only the thread touches it from here on.
        times: takes the duration of the stage ``judge``.
        every_s: least time between two frames judged, in seconds.
        patience_s: longest wait for what is under way when closing, in seconds.
        tailor: makes perturbations to measure for the faces that were judged last, in another
            thread, for which neither pictures nor verdicts wait, and which gives way to them on
            Linux.
    """

    def __init__(
        self,
        judge: Judge,
        times: StageTimes,
        *,
        every_s: float = 0.25,
        patience_s: float = 2.0,
        tailor: Tailor | None = None,
    ) -> None:
        self._judge = judge
        self._fitting = _Fitting(tailor, times)
        self._times = times
        self._pace = _Pace(every_s)
        self._patience_s = patience_s
        self._cases: Mailbox[Case] = Mailbox()
        self._rounds: deque[Round] = deque(maxlen=64)
        self._heard: Mailbox[tuple[Case, tuple[Verdict, ...]]] = Mailbox()
        self._workers = [Worker("jury", self._sit, self._cases.close)]
        if tailor is None:
            self._heard.close()
        else:
            fitter = Worker("tailor", self._fit, self._heard.close, gives_way=GIVES_WAY)
            self._workers.append(fitter)

    @property
    def error(self) -> Exception | None:
        """What the judge died of; None while it lives."""
        return self._workers[0].error

    def submit(self, case: Case) -> None:
        """Lay the frame before the judge if it wants it; an older one that waits is dropped."""
        if self._judge.watches or self._pace.due(case.at_s):
            self._cases.put(case)

    def rounds(self) -> tuple[Round, ...]:
        """Return what was judged since last asked."""
        return tuple(self._rounds.popleft() for _ in range(len(self._rounds)))

    def close(self) -> None:
        """Let the threads end, and wait for them as long as ``patience_s``."""
        self._cases.close()
        self._heard.close()
        until_s = time.monotonic() + self._patience_s
        for worker in self._workers:
            worker.join(max(0.0, until_s - time.monotonic()))

    def _sit(self) -> None:
        while (case := self._cases.take()) is not None:
            case.show(self._judge)
            if not self._judge.watches or self._pace.due(case.at_s):
                heard = case.hear(self._judge, self._times)
                self._rounds.append(heard)
                self._heard.put((case, heard.verdicts))

    def _fit(self) -> None:
        while (heard := self._heard.take()) is not None and not self._heard.closed:
            case, verdicts = heard
            if fitted := self._fitting.fit(case, verdicts):
                self._rounds.append(
                    Round(case.at_s, (), complete=False, term=case.term, fitted=fitted)
                )
