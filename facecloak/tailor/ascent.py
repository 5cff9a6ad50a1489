"""Projected gradient ascent on the last moments of one face.

Steps by signs of gradients with momentum, each network's divided by its L1 norm before they are
added (Dong et al., "Boosting Adversarial Attacks with Momentum", arXiv 1710.06081, equations 6 and
7), as in ``facecloak_train.attacks.universal``, over random looks at the face (Athalye et al.,
"Synthesizing Robust Adversarial Examples", arXiv 1707.07397).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.displacement import Field
from facecloak.core.interpolation import Plane
from facecloak.tailor.canvas import FACE_PX, Canvas
from facecloak.tailor.glance import Glance, draw, straight
from facecloak.tailor.gradient import PAIR, GradientModel
from facecloak.tailor.straying import strayed
from facecloak.tailor.suit import Suit
from facecloak.verify import criteria

ASKED: Final = 2
"""How many networks a step asks, drawn anew each time."""
RIVALS: Final = 1
"""Among how many classes the one is that a face is to be read as: the likeliest ones to all the
networks together. Where each goes its own way, what they have in common does not carry over."""
OFTEN: Final = 0.2
"""A class that so large a share of the readings of a face names is not one to lead it to."""
CLEAR: Final = 2.0
"""A lead in logits, either way, beyond which it does not matter how large it is."""
RELENT: Final = 12
"""After how many steps one more class is allowed, where these are out of reach."""
_DECAY: Final = 0.9
_STRIDE: Final = 0.3
"""Length of the first step, as a share of the budget."""
_SHORTEST: Final = 0.2
_SHORTENED_BY: Final = 24
"""After so many steps, a step has come down to this share of the first one."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the networks read in a face.

    Attributes:
        labels: of each, in the face as captured.
        leads: by how many logits another class leads in the face as sent, to each.
        likely: the classes, likeliest first in the face as sent, by the mean of their logits, each
            network's with mean zero and variance one.
        gain: by how many logits the lead in the face as sent is larger than with what the suit
            began as, in the mean of the networks asked, no lead counted beyond ``CLEAR``; None
            before anything was fitted.
    """

    labels: tuple[int, ...]
    leads: tuple[float, ...]
    likely: NDArray[np.int64]
    gain: float | None


class Ascent:
    """Asks the networks, and improves what a face has.

    Args:
        models: the gradients to follow; all of the same classes.
        seed: of the random looks.

    Attributes:
        strength: the factor at which a face is given what it has.
    """

    def __init__(self, models: Sequence[GradientModel], seed: int) -> None:
        self._models = tuple(models)
        self._rng = np.random.default_rng(seed)
        self.strength = 1.0

    def read(self, suit: Suit, canvas: Canvas) -> Reading:
        """Have networks read the face, as captured and as sent: all at first, then every other one.

        What those read that are not asked is what they read the last time. Raises DeviceError.
        """
        count = len(self._models)
        asked = range(count)
        if suit.logits is None:
            suit.logits = np.zeros((count, PAIR, len(self._models[0].card.labels)), np.float32)
        else:
            asked = range(suit.looks % 2, count, 2) or asked
        began = canvas.paint(*self._scaled(*suit.began)) if suit.steps else None
        sent = canvas.paint(*self._scaled(suit.pattern, suit.shifts))
        gains = []
        for number in asked:
            suit.logits[number] = self._read(number, canvas.clean, sent)
            if began is not None:
                before = self._read(number, canvas.clean, began)
                gains.append(_led(suit.logits[number]) - _led(before))
        suit.looks += 1
        clean, cloaked = suit.logits[:, 0], suit.logits[:, 1]
        labels, leads = clean.argmax(axis=1), criteria.leads(clean, cloaked)
        spread = np.maximum(cloaked.std(axis=1, keepdims=True), 1e-6)
        scores = (cloaked - cloaked.mean(axis=1, keepdims=True)) / spread
        likely = np.argsort(-scores.mean(axis=0), kind="stable")
        gain = float(np.mean(gains)) if gains else None
        return Reading(tuple(labels.tolist()), tuple(leads.tolist()), likely, gain)

    def step(self, suit: Suit) -> None:
        """Take one step up, on the newest moment and another one, astray. Raises DeviceError.

        Args:
            suit: with at least one moment; its pattern and shifts are changed.
        """
        newest = suit.moments[-1]
        other = suit.moments[int(self._rng.integers(len(suit.moments)))]
        moments = (newest, other)
        canvases = [Canvas(strayed(one.crop, self._rng), one.sides) for one in moments]
        given = self._scaled(suit.pattern, suit.shifts)
        sent = [canvas.paint(*given) for canvas in canvases]
        drift = suit.drift or (np.zeros_like(suit.pattern), np.zeros_like(suit.shifts))
        pulls = [np.float32(_DECAY) * part for part in drift]
        asked = self._rng.permutation(len(self._models))[:ASKED]
        for number in asked:
            model = self._models[number]
            looks = [draw(self._rng, FACE_PX, model.card.input_px) for _ in moments]
            pair = np.stack([look.look(face) for look, face in zip(looks, sent, strict=True)])
            labels = np.array([moment.labels[number] for moment in moments])
            _, gradients = model.pull(pair, labels, self._rivals(suit, labels))
            for part, pull in enumerate(self._pulled(suit, canvases, looks, gradients)):
                pulls[part] = pulls[part] + pull / max(float(np.abs(pull).sum()), 1e-12)
        suit.drift = pulls[0], pulls[1]
        length = max(_SHORTEST, 1.0 - (1.0 - _SHORTEST) * suit.steps / _SHORTENED_BY) * _STRIDE
        shown = np.logical_or(*(canvas.shows(len(suit.pattern)) for canvas in canvases))
        suit.weigh(pulls[0] * shown)
        pattern = suit.pattern + np.float32(length * suit.eps) * np.sign(pulls[0]) * shown
        suit.alter(pattern, suit.shifts + np.float32(length * suit.reach) * np.sign(pulls[1]))
        suit.steps += 1

    def _pulled(
        self,
        suit: Suit,
        canvases: Sequence[Canvas],
        looks: Sequence[Glance],
        gradients: NDArray[np.float32],
    ) -> list[NDArray[np.float32]]:
        """The gradient of a network, of both moments, by pattern and displacement."""
        pulled = [
            canvas.pull(look.pull(gradient, FACE_PX), len(suit.pattern), suit.shifts.shape[-1])
            for canvas, look, gradient in zip(canvases, looks, gradients, strict=True)
        ]
        return [np.sum(part, axis=0) for part in zip(*pulled, strict=True)]

    def _rivals(self, suit: Suit, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The classes that may win over each label, one row each.

        They are the first in order but for that label and for what is read often: a network that
        nobody asks may well read that, too, and would be told the truth.
        """
        read = np.bincount(
            [one for moment in suit.moments for one in moment.labels], minlength=len(suit.order)
        ) / sum(len(m.labels) for m in suit.moments)
        often = read >= min(OFTEN, read.max())
        rivals = np.zeros((len(labels), len(suit.order)), np.bool_)
        for row, label in zip(rivals, labels, strict=True):
            others = suit.order[(suit.order != label) & ~often[suit.order]]
            others = others if len(others) else suit.order[suit.order != label]
            row[others[: RIVALS + suit.steps // RELENT]] = True
        return rivals

    def _read(self, number: int, *faces: Plane) -> NDArray[np.float32]:
        """What a network reads in two faces: logits, ``float32[2, C]``."""
        model = self._models[number]
        look = straight(FACE_PX, model.card.input_px)
        return model.read(np.stack([look.look(face) for face in faces]))

    def _scaled(self, pattern: Plane, shifts: Field) -> tuple[Plane, Field]:
        """What a face is given of them, at the strength."""
        strength = np.float32(self.strength)
        return strength * pattern, strength * shifts


def _led(pair: NDArray[np.float32]) -> float:
    """By how many logits a face as sent is led astray, within ``CLEAR``: ``float32[2, C]``."""
    lead = criteria.leads(pair[:1], pair[1:]).item()
    return min(max(lead, -CLEAR), CLEAR)
