"""Fits a perturbation to each face: projected gradient ascent on its last few moments.

The ascent is that of ``facecloak_train.attacks.universal``, by signs of gradients with momentum,
each network's divided by its L1 norm before they are added (Dong et al., "Boosting Adversarial
Attacks with Momentum", arXiv 1710.06081, equations 6 and 7), over random looks at the face
(Athalye et al., "Synthesizing Robust Adversarial Examples", arXiv 1707.07397). What is fitted to
one face in one mood leads networks astray that had no part in it, at a budget at which a
perturbation for all faces hardly does: ``docs/results.md``.
"""

import math
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core import displacement
from facecloak.core.clock import Clock, monotonic
from facecloak.core.displacement import Field
from facecloak.core.interpolation import Plane
from facecloak.core.perturbation import Perturbation
from facecloak.core.types import Face, Fitted, Frame, Sighting
from facecloak.tailor.canvas import FACE_PX, FINE_PX, Canvas
from facecloak.tailor.glance import Glance, draw, straight
from facecloak.tailor.gradient import PAIR, GradientModel
from facecloak.verify import criteria
from facecloak.verify.crop import face_crop

CELLS: Final = 48
"""Side of a pattern where the perturbation to begin with has none."""
FIELD_CELLS: Final = 6
"""Side of a displacement, likewise."""
SMOOTH_SHARE: Final = 0.6
"""What the pattern may use of its budget on smooth skin."""
ENOUGH: Final = 2.5
"""A lead in logits, in every network, with which nothing is changed."""
MOMENTS: Final = 6
"""How many moments of a face are kept."""
RESTING_S: Final = 1.0
"""How long to wait before the next look at a face that nothing need be changed for."""
TIRING: Final = 64
"""After so many steps at a face that shows the same, it is looked at half as often."""
FRESH: Final = 8
"""As how many steps those of before count once a network reads something else in the face."""
ASKED: Final = 2
"""How many networks a step asks, drawn anew each time."""
RIVALS: Final = 3
"""Among how many classes, drawn for each face, the one is that it is to be read as: to whatever is
nearest, a face is led by what it shows, which then could be told from where it was led."""
RELENT: Final = 12
"""After how many steps one more class is allowed, where these are out of reach."""
AT_ONCE: Final = 2
"""How many faces are fitted in one frame at most."""
GONE_S: Final = 10.0
"""After what time without a face what is known of it is forgotten."""
_DECAY: Final = 0.9
_STRIDE: Final = 0.4
"""Length of the first step, as a share of the budget."""
_SHORTEST: Final = 0.2
_SHORTENED_BY: Final = 24
"""After so many steps, a step has come down to this share of the first one."""
_OVERSHOOT: Final = 2.0**0.5
"""How much longer a shift may be than what its grid says along one axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done when.

    Attributes:
        first_steps: at the first look at a face.
        steps: at every later one.
        every_s: between two looks at a face that is not fitted well enough, at least.
        spend_s: how long the fits of one frame may take, but for the step under way; without end,
            and so without a clock, if not given.
    """

    first_steps: int = 8
    steps: int = 4
    every_s: float = 0.5
    spend_s: float = math.inf


LIVE: Final = Pace(spend_s=0.4)
"""The next verdict waits meanwhile."""
PATIENT: Final = Pace(first_steps=32, steps=8, every_s=0.25)
"""For files."""


@dataclass(slots=True)
class _Moment:
    """A face at one moment, and what each network reads in it."""

    canvas: Canvas
    labels: tuple[int, ...]


@dataclass(slots=True)
class _Suit:
    """What is known of one face, and what it has so far."""

    pattern: Plane
    shifts: Field
    most: Plane
    moments: deque[_Moment] = field(default_factory=lambda: deque(maxlen=MOMENTS))
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    drift: tuple[Plane, Field] | None = None
    steps: int = 0
    looked_s: float = float("-inf")
    rest_s: float = 0.0
    seen_s: float = float("-inf")

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to look at the face again; also after time ran backwards."""
        return not 0 <= now_s - self.looked_s < self.rest_s


class GradientTailor:
    """Implements ``core.ports.Tailor``.

    Args:
        models: the gradients to follow; all of the same classes.
        start: what a face has before; its header's budgets hold for what is fitted, and its part
            that changes with time stays.
        strength: the factor at which it will be given.
        pace: how much is done when.
        from_scratch: begin with nothing but what changes with time.
        seed: of the random looks.

    Raises:
        ValueError: there is no gradient to follow.
    """

    def __init__(  # noqa: PLR0913 - one place where a tailor is put together
        self,
        models: Sequence[GradientModel],
        start: Perturbation,
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
        self._models = tuple(models)
        self._orders: tuple[Perturbation, float] | None = None
        self._pace = pace
        self._from_scratch = from_scratch
        self._clock = clock
        self._until_s = math.inf
        self._rng = np.random.default_rng(seed)
        self._suits: dict[int, _Suit] = {}
        self._follow(start, strength)

    def begin_with(self, start: Perturbation, strength: float) -> None:
        """Fit another perturbation, or at another strength, from the next frame on. Any thread."""
        self._orders = start, strength

    def fit(self, clean: Frame, faces: Sequence[Face]) -> tuple[Fitted, ...]:
        """Fit to the faces whose turn it is. Raises DeviceError."""
        self._take_orders()
        now_s = clean.captured_s
        seen = {face.track: face for face in faces if face.sighting is not Sighting.PREDICTED}
        for track in seen:
            self._suits.setdefault(track, self._new()).seen_s = now_s
        self._forget(now_s)
        due = [track for track in seen if self._suits[track].is_due(now_s)]
        due.sort(key=lambda track: self._suits[track].looked_s)
        self._until_s = self._clock() + self._pace.spend_s
        fitted: list[Fitted] = []
        for track in due[:AT_ONCE]:
            if fitted and self._clock() >= self._until_s:
                break
            crop = face_crop(clean.image, seen[track].face_from_frame, FINE_PX)
            suit = self._suits[track]
            changed = self._alter(suit, Canvas(crop))
            tired = self._pace.every_s * (1.0 + suit.steps / TIRING)
            suit.looked_s, suit.rest_s = now_s, min(tired, RESTING_S) if changed else RESTING_S
            if changed:
                fitted.append(Fitted(track, self._finished(suit)))
        return tuple(fitted)

    def _follow(self, start: Perturbation, strength: float) -> None:
        self._start = start
        self._strength = np.float32(strength)
        swing = float(np.hypot(start.cosine, start.sine).max())
        self._eps = max(0.0, start.header.eps - swing)
        self._reach = start.header.shift / _OVERSHOOT

    def _take_orders(self) -> None:
        """Go over to what was ordered; a mere change of strength keeps what was fitted."""
        orders, self._orders = self._orders, None
        if orders is not None:
            if not _alike(orders[0], self._start):
                self._suits.clear()
            self._follow(*orders)

    def _new(self) -> _Suit:
        start = self._start
        pattern = np.zeros((CELLS, CELLS), np.float32)
        shifts = np.zeros((2, FIELD_CELLS, FIELD_CELLS), np.float32)
        if start.static.any() and not self._from_scratch:
            pattern = start.static.copy()
        if start.displaces and not self._from_scratch:
            shifts = start.displacement.copy()
        return _Suit(pattern, shifts, np.full_like(pattern, self._eps))

    def _forget(self, now_s: float) -> None:
        gone = [t for t, suit in self._suits.items() if not abs(now_s - suit.seen_s) <= GONE_S]
        for track in gone:
            del self._suits[track]

    def _alter(self, suit: _Suit, canvas: Canvas) -> bool:
        """Look at the face anew, and improve what it has; whether that was necessary."""
        labels, leads = self._read(suit, canvas)
        if suit.moments and labels != suit.moments[-1].labels:
            suit.steps = min(suit.steps, FRESH)
        suit.moments.append(_Moment(canvas, labels))
        if not len(suit.order):
            suit.order = self._drawn(canvas)
        if min(leads) >= ENOUGH:
            return False
        share = SMOOTH_SHARE + (1.0 - SMOOTH_SHARE) * canvas.hides(len(suit.pattern))
        most = (self._eps * share).astype(np.float32)
        suit.most = most if suit.steps == 0 else 0.5 * (suit.most + most)
        for _ in range(self._pace.steps if suit.steps else self._pace.first_steps):
            self._step(suit)
            if self._clock() >= self._until_s:
                break
        return True

    def _read(self, suit: _Suit, canvas: Canvas) -> tuple[tuple[int, ...], list[float]]:
        """What each network reads in the face as captured, and how far from that it is as sent."""
        sent = self._paint(suit, canvas)
        labels, leads = [], []
        for model in self._models:
            look = straight(FACE_PX, model.card.input_px)
            pair = np.stack([look.look(canvas.clean), look.look(sent)])
            logits, _ = model.pull(pair, np.zeros(PAIR, np.int64))
            labels.append(int(logits[0].argmax()))
            leads.append(float(criteria.leads(logits[:1], logits[1:])[0]))
        return tuple(labels), leads

    def _step(self, suit: _Suit) -> None:
        """One step up, on the newest moment and another one."""
        newest = suit.moments[-1]
        other = suit.moments[int(self._rng.integers(len(suit.moments)))]
        moments = (newest, other)
        sent = [self._paint(suit, moment.canvas) for moment in moments]
        drift = suit.drift or (np.zeros_like(suit.pattern), np.zeros_like(suit.shifts))
        pulls = [np.float32(_DECAY) * part for part in drift]
        asked = self._rng.permutation(len(self._models))[:ASKED]
        for number in asked:
            model = self._models[number]
            looks = [draw(self._rng, FACE_PX, model.card.input_px) for _ in moments]
            pair = np.stack([look.look(face) for look, face in zip(looks, sent, strict=True)])
            labels = np.array([moment.labels[number] for moment in moments])
            _, gradients = model.pull(pair, labels, self._rivals(suit))
            for part, pull in enumerate(self._pulled(suit, moments, looks, gradients)):
                pulls[part] = pulls[part] + pull / max(float(np.abs(pull).sum()), 1e-12)
        suit.drift = pulls[0], pulls[1]
        length = max(_SHORTEST, 1.0 - (1.0 - _SHORTEST) * suit.steps / _SHORTENED_BY) * _STRIDE
        pattern = suit.pattern + np.float32(length * self._eps) * np.sign(pulls[0])
        suit.pattern = np.clip(pattern, -suit.most, suit.most).astype(np.float32)
        shifts = suit.shifts + np.float32(length * self._reach) * np.sign(pulls[1])
        suit.shifts = np.clip(shifts, -self._reach, self._reach).astype(np.float32)
        suit.steps += 1

    def _pulled(
        self,
        suit: _Suit,
        moments: Sequence[_Moment],
        looks: Sequence[Glance],
        gradients: NDArray[np.float32],
    ) -> list[NDArray[np.float32]]:
        """The gradient of a network, of both moments, by pattern and displacement."""
        pulled = [
            moment.canvas.pull(
                look.pull(gradient, FACE_PX), len(suit.pattern), suit.shifts.shape[-1]
            )
            for moment, look, gradient in zip(moments, looks, gradients, strict=True)
        ]
        return [np.sum(part, axis=0) for part in zip(*pulled, strict=True)]

    def _drawn(self, canvas: Canvas) -> NDArray[np.int64]:
        """An order of the classes that nobody who has not seen this very picture can tell."""
        drawn = np.random.default_rng(zlib.crc32(canvas.clean.tobytes()))
        return drawn.permutation(len(self._models[0].card.labels))

    def _rivals(self, suit: _Suit) -> NDArray[np.bool_]:
        """The classes that may win: the first ones that no network reads in the face.

        The order of the classes is drawn for each face, from its first picture.
        """
        read = {label for moment in suit.moments for label in moment.labels}
        others = [label for label in suit.order if label not in read]
        rivals = np.zeros(len(suit.order), np.bool_)
        rivals[(others or suit.order)[: RIVALS + suit.steps // RELENT]] = True
        return rivals

    def _paint(self, suit: _Suit, canvas: Canvas) -> Plane:
        return canvas.paint(self._strength * suit.pattern, self._strength * suit.shifts)

    def _finished(self, suit: _Suit) -> Perturbation:
        """What the suit is now, within both budgets of the displacement."""
        header = self._start.header
        shifts = suit.shifts
        if header.shift:
            shifts = displacement.within(shifts, most_shift=header.shift, most_strain=header.strain)
            suit.shifts = shifts
        return Perturbation(
            header, suit.pattern, self._start.cosine, self._start.sine, shifts.copy()
        )


def _alike(one: Perturbation, other: Perturbation) -> bool:
    parts = zip(one.tensors().values(), other.tensors().values(), strict=True)
    return one.header == other.header and all(np.array_equal(a, b) for a, b in parts)
