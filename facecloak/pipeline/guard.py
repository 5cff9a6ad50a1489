"""Decides what may leave: pure, without a clock, a thread or a picture. It fails closed.

A frame leaves only when a face was found, every face found was cloaked, none is missing, and a
recent round of verdicts vouches for the cloak. Every other case shows the last frame that left for
a moment, then the shield. Times come in as numbers on one clock; a time that runs backwards, is
infinite or no number proves nothing. A raw frame leaves when the user has switched protection off,
and from a room that is empty where that was asked for. ``docs/threat-model.md`` has every edge.
"""

import itertools
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from facecloak.core.types import Output, Verdict

EmptyRoom = Literal["shield", "pass"]
Unfooled = Literal["tell", "shield"]

FOOLED_AT_LEAST = 0.5
"""Share of its latest verdicts on a face in which a classifier must be fooled where
``unfooled="shield"``; no verdict at all is too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """How long what may be shown, and what happens in the cases people differ about."""

    hold_s: float = 0.4
    """How long the last cloaked frame may stand in for the present one, in seconds."""
    proof_s: float = 2.0
    """How long one round of verdicts vouches for the cloak, in seconds."""
    empty_room: EmptyRoom = "shield"
    """What is shown when nobody is there: the shield, or the picture as captured."""
    empty_after_s: float = 3.0
    """How long nobody must have been seen before ``pass`` shows the room, in seconds."""
    unfooled: Unfooled = "tell"
    """Whether a classifier that still reads the face is only reported, or means the shield."""
    unfooled_window_s: float = 3.0
    """Over how many of the latest seconds of verdicts a classifier counts as fooled or not."""

    def __post_init__(self) -> None:
        for name in ("hold_s", "proof_s", "empty_after_s", "unfooled_window_s"):
            seconds = getattr(self, name)
            if not 0 <= seconds <= 60:
                msg = f"guard.{name} must be within 0..60 seconds, got {seconds}"
                raise ValueError(msg)
        for name, choices in (("empty_room", EmptyRoom), ("unfooled", Unfooled)):
            if getattr(self, name) not in get_args(choices):
                known = " or ".join(get_args(choices))
                msg = f"guard.{name} must be {known}, got {getattr(self, name)!r}"
                raise ValueError(msg)


class _Ballot(NamedTuple):
    """What the guard keeps of a verdict, on the guard's own clock."""

    at_s: float
    classifier: str
    track: int
    fooled: bool


class Guard:
    """Shows a cloaked frame only while a recent round of verdicts vouches for it.

    One thread uses it: tell it rounds with ``record``, then ask it once for each frame, with
    ``decide`` where the frame went through every stage, with ``fail`` where it did not, and with
    ``bypass`` where protection is off.

    Every cloak has a term, a number that is never used again. What goes out is made by the cloak of
    the term in force, and rounds on pictures of any earlier term prove nothing, however late they
    come. A cloak on trial takes over with the first round on its own picture.
    """

    def __init__(self, settings: GuardSettings | None = None) -> None:
        self._settings = settings or GuardSettings()
        self._on = True
        self._term = 0
        self._trial: int | None = None
        self._terms = itertools.count(1)
        self._proof_at_s = float("-inf")
        self._cloaked_at_s = float("-inf")
        self._empty_since_s: float | None = None
        self._ballots: deque[_Ballot] = deque(maxlen=4096)

    @property
    def on(self) -> bool:
        """Whether protection is on; it is at first."""
        return self._on

    @property
    def term(self) -> int:
        """The term whose cloak makes what goes out; 0 at first."""
        return self._term

    def switch(self, *, on: bool) -> None:
        """Forget every proof, the frame that could be held and any trial; a new term begins.

        Args:
            on: whether protection is on from now. Nothing but False lets a face leave as captured.
        """
        self._on = on
        self._term = next(self._terms)
        self._trial = None
        self._proof_at_s = self._cloaked_at_s = float("-inf")
        self._empty_since_s = None
        self._ballots.clear()

    def try_out(self) -> int:
        """Put a new cloak on trial, instead of one that is, and return the number of its term."""
        self._trial = next(self._terms)
        return self._trial

    def hears(self, term: int) -> bool:
        """Whether verdicts on a picture of this term still count."""
        return self._on and term in (self._term, self._trial)

    def record(self, verdicts: Iterable[Verdict], *, judged_at_s: float, term: int = 0) -> None:
        """Take one round of verdicts on a cloaked frame; an empty round proves nothing.

        Args:
            verdicts: of every classifier on every face of that frame, whatever they say.
            judged_at_s: the time of that frame, not that of the verdicts.
            term: of the cloak that made that frame. The one on trial is in force from here on.
        """
        verdicts = tuple(verdicts)
        if not verdicts or not self.hears(term):
            return
        if term == self._trial:
            self._term, self._trial = term, None
            self._ballots.clear()
        self._proof_at_s = judged_at_s
        self._ballots.extend(
            _Ballot(judged_at_s, v.classifier, v.track, v.fooled) for v in verdicts
        )

    def fail(self, now_s: float) -> Output:
        """Choose what goes out when a stage failed or no picture came."""
        self.await_room()
        return self._stand_in(now_s)

    def await_room(self) -> None:
        """Begin anew to wait until an empty room may be shown."""
        self._empty_since_s = None

    def bypass(self) -> Output:
        """Choose what goes out for a frame that no stage has touched."""
        return Output.SHIELD if self._on else Output.OFF

    def decide(self, now_s: float, *, found: int, missing: int, cloaked: bool) -> Output:
        """Choose what goes out for a frame that went through every stage; the shield while off.

        Args:
            now_s: the time of the frame.
            found: how many faces are in it.
            missing: how many were there a moment ago, are not found, and may still be there.
            cloaked: whether every one of the faces found was cloaked, by the cloak in force.
        """
        if not self._on:
            return Output.SHIELD
        if found == 0 and missing == 0:
            return self._nobody(now_s)
        self._empty_since_s = None
        complete = found > 0 and missing == 0 and cloaked
        if complete and self._proven(now_s) and not self._read_through(now_s):
            self._cloaked_at_s = now_s
            return Output.CLOAKED
        return self._stand_in(now_s)

    def _nobody(self, now_s: float) -> Output:
        if self._settings.empty_room == "shield":
            return Output.SHIELD
        if self._empty_since_s is None or now_s < self._empty_since_s:
            self._empty_since_s = now_s
        if self._settings.empty_after_s <= now_s - self._empty_since_s < math.inf:
            return Output.UNTOUCHED
        return self._stand_in(now_s)

    def _stand_in(self, now_s: float) -> Output:
        held = 0 <= now_s - self._cloaked_at_s <= self._settings.hold_s
        return Output.HELD if held and not self._read_through(now_s) else Output.SHIELD

    def _proven(self, now_s: float) -> bool:
        return 0 <= now_s - self._proof_at_s <= self._settings.proof_s

    def _read_through(self, now_s: float) -> bool:
        """Whether a classifier still reads the face, where that is not to be shown."""
        if self._settings.unfooled == "tell":
            return False
        window_s = self._settings.unfooled_window_s
        recent = [ballot for ballot in self._ballots if 0 <= now_s - ballot.at_s <= window_s]
        self._ballots = deque(recent, maxlen=self._ballots.maxlen)
        shares = _fooled_shares(self._ballots)
        return not shares or min(shares) < FOOLED_AT_LEAST


def _fooled_shares(ballots: Iterable[_Ballot]) -> list[float]:
    """In which share of its verdicts on each face each classifier was fooled."""
    by_reader: dict[tuple[str, int], list[bool]] = {}
    for ballot in ballots:
        by_reader.setdefault((ballot.classifier, ballot.track), []).append(ballot.fooled)
    return [sum(fooled) / len(fooled) for fooled in by_reader.values()]
