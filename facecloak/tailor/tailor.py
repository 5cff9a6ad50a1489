"""Fits a perturbation to each face: some steps of an ascent now and then, within a budget of time.

What is fitted to one face in one mood leads networks astray that had no part in it, at a budget at
which a perturbation for all faces hardly does: ``docs/results.md``.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.bank import Bank
from facecloak.core.clock import Clock, monotonic
from facecloak.core.perturbation import ANY
from facecloak.core.perturbation_file import OWN, SHARED
from facecloak.core.types import Face, Fitted, Frame, Sighting, Verdict
from facecloak.tailor.ascent import Ascent
from facecloak.tailor.canvas import FINE_PX, Canvas
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.suit import ANYWHERE, Moment, Suit
from facecloak.verify.crop import face_crop

ENOUGH: Final = 2.5
"""A lead in logits, in every network, with which nothing more is added."""
HARDLY: Final = 1.0
"""A lead in logits that the next moment may well take away."""
RESTING_S: Final = 1.0
"""How long to wait before the next look at a face that nothing need be changed for."""
TIRED_S: Final = 2.0
"""The longest wait for the next look at a face that shows the same and is not led far enough."""
FRESH: Final = 8
"""As how many steps those of before count once a network reads something else in the face."""
AT_ONCE: Final = 2
"""How many faces are fitted in one frame at most."""
GONE_S: Final = 10.0
"""After what time without a face what is known of it is forgotten."""
_SEEN: Final = 0.05
"""Levels; what a pattern loses less of is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done when.

    Attributes:
        first_steps: at the first look at a face.
        steps: at every later one.
        every_s: between two looks at a face that is not fitted well enough, at least.
        tires_after: from so many steps on, the wait grows with their number.
        spend_s: how long the fits of one frame may take, but for the step under way; without end,
            and so without a clock, if not given.
        near: how far from what it begins with a fit may go before it was seen to hold on a moment
            later than those that it was made from, as a share of the budget.
    """

    first_steps: int = 4
    steps: int = 2
    every_s: float = 0.5
    tires_after: float = 24.0
    spend_s: float = math.inf
    near: float = ANYWHERE


LIVE: Final = Pace(spend_s=0.4, near=0.2)
"""What takes longer is late where the face moves."""
PATIENT: Final = Pace(first_steps=32, steps=8, every_s=0.25, tires_after=256.0)
"""For files."""


@dataclass(slots=True)
class Wearer:
    """A face, and what it has for each expression that it showed.

    Attributes:
        suits: by the label of the member of the bank that each of them began as.
        label: of the one that it shows.
        seen_s: when it was last there.
    """

    suits: dict[str, Suit] = field(default_factory=dict)
    label: str = ANY
    seen_s: float = -math.inf

    @property
    def suit(self) -> Suit:
        """What it has for what it shows."""
        return self.suits[self.label]


class GradientTailor:
    """Implements ``core.ports.Tailor``.

    Args:
        models: the gradients to follow; all of the same classes.
        start: what a face has before; its header's budgets hold for what is fitted, and the part of
            a member that changes with time stays.
        strength: the factor at which it will be given.
        pace: how much is done when.
        from_scratch: begin with nothing but what changes with time.
        seed: of the random looks.

    Raises:
        ValueError: there is no gradient to follow, or they do not tell the same classes apart.
    """

    def __init__(  # noqa: PLR0913 - one place where a tailor is put together
        self,
        models: Sequence[GradientModel],
        start: Bank,
        *,
        strength: float = 1.0,
        pace: Pace = LIVE,
        from_scratch: bool = False,
        seed: int = 0,
        clock: Clock = monotonic,
    ) -> None:
        if not models:
            msg = "a tailor needs at least one gradient"
            raise ValueError(msg)
        if len({model.card.labels for model in models}) > 1:
            msg = "the gradients do not tell the same classes apart"
            raise ValueError(msg)
        self._orders: deque[tuple[Bank, float]] = deque(maxlen=1)
        self._pace = pace
        self._from_scratch = from_scratch
        self._clock = clock
        self._until_s = math.inf
        self._ascent = Ascent(models, seed)
        self._wearers: dict[int, Wearer] = {}
        self._follow(start, strength)

    def begin_with(self, start: Bank, strength: float) -> None:
        """Fit another perturbation, or at another strength, from the next frame on. Any thread."""
        self._orders.append((start, strength))

    def fit(
        self, clean: Frame, faces: Sequence[Face], verdicts: Sequence[Verdict]
    ) -> tuple[Fitted, ...]:
        """Fit to the faces whose turn it is. Raises DeviceError."""
        self._take_orders()
        now_s = clean.captured_s
        seen = {face.track: face for face in faces if face.sighting is not Sighting.PREDICTED}
        shown = self._shown(verdicts)
        for track in seen:
            self._see(self._wearers.setdefault(track, Wearer()), shown.get(track, ANY), now_s)
        self._forget(now_s)
        due = [track for track in seen if self._wearers[track].suit.is_due(now_s)]
        due.sort(key=lambda track: self._wearers[track].suit.looked_s)
        self._until_s = self._clock() + self._pace.spend_s
        fitted: list[Fitted] = []
        for track in due[:AT_ONCE]:
            if fitted and self._clock() >= self._until_s:
                break
            face = seen[track]
            crop = face_crop(clean.image, face.face_from_frame, FINE_PX)
            label, suit = self._wearers[track].label, self._wearers[track].suit
            changed = self._alter(suit, crop, face.sides)
            tired = self._pace.every_s * max(1.0, suit.steps / self._pace.tires_after)
            suit.looked_s, suit.rest_s = now_s, min(tired, TIRED_S) if changed else RESTING_S
            if not (changed or suit.again):
                continue
            suit.given, suit.again = True, False
            if (made := suit.finished(self._start.alone(label))) is not None:
                fitted.append(Fitted(track, made, label))
        return tuple(fitted)

    def hand_out_again(self) -> None:
        """Return what each face has at the next look at it; see ``core.ports.Tailor``."""
        for wearer in self._wearers.values():
            for suit in wearer.suits.values():
                suit.again = suit.given

    def _see(self, wearer: Wearer, label: str, now_s: float) -> None:
        """Note what a face shows; what the networks read in it long ago counts no more."""
        if label not in wearer.suits:
            wearer.suits[label] = Suit.of(
                self._start.member(label), near=self._pace.near, from_scratch=self._from_scratch
            )
        if label != wearer.label or not abs(now_s - wearer.seen_s) <= TIRED_S:
            wearer.suits[label].logits = None
        wearer.label, wearer.seen_s = label, now_s

    def _shown(self, verdicts: Sequence[Verdict]) -> dict[int, str]:
        """Which member of the bank answers each face that its selector read."""
        answers = self._start.header.answers
        return {
            verdict.track: verdict.clean.label
            for verdict in verdicts
            if verdict.classifier == self._start.selector and verdict.clean.label in answers
        }

    def _follow(self, start: Bank, strength: float) -> None:
        self._start = start
        self._ascent.strength = strength

    def _take_orders(self) -> None:
        """Go over to what was ordered; a mere change of strength keeps what was fitted."""
        if not self._orders:
            return
        start, strength = self._orders.popleft()
        if not _alike(start, self._start):
            self._wearers.clear()
        for wearer in self._wearers.values():
            for suit in wearer.suits.values():
                suit.logits = None
        self._follow(start, strength)

    def _forget(self, now_s: float) -> None:
        gone = [t for t, one in self._wearers.items() if not abs(now_s - one.seen_s) <= GONE_S]
        for track in gone:
            del self._wearers[track]

    def _alter(self, suit: Suit, crop: NDArray[np.uint8], sides: tuple[float, float]) -> bool:
        """Look at the face anew, and improve what it has; whether that was necessary."""
        canvas = Canvas(crop, sides)
        read = self._ascent.read(suit, canvas)
        if read.gain is not None:
            suit.trust(read.gain)
        if suit.moments and read.labels != suit.moments[-1].labels:
            suit.steps = min(suit.steps, FRESH)
        suit.moments.append(Moment(crop, read.labels, sides))
        if not len(suit.order):
            suit.order = read.likely
        enough = min(read.leads) >= ENOUGH
        if enough:
            suit.save()
        elif suit.steps and np.median(read.leads) < HARDLY:
            suit.spend()
        suit.hide(canvas.hides(len(suit.pattern)))
        before = suit.pattern
        suit.alter(before, suit.shifts)
        if enough:
            return bool(np.abs(before - suit.pattern).max() > _SEEN)
        for _ in range(self._pace.steps if suit.steps else self._pace.first_steps):
            self._ascent.step(suit)
            if self._clock() >= self._until_s:
                break
        return True


def _alike(one: Bank, other: Bank) -> bool:
    return one.header == other.header and all(
        np.array_equal(getattr(one.member(label), name), getattr(other.member(label), name))
        for label in one.labels
        for name in (*OWN, *SHARED)
    )
