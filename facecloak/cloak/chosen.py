"""What both compositors do alike: which face gets how much of which perturbation."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Final

from facecloak.cloak.dose import Dose
from facecloak.cloak.selector import OWN, Mix, Selector
from facecloak.core.bank import Bank
from facecloak.core.displacement import Field
from facecloak.core.perturbation import Perturbation
from facecloak.core.ports import Cloak
from facecloak.core.types import Face, Fitted, Frame, Verdict

_NUMBERS: Final = itertools.count()
"""Of perturbations made to measure: one that a new cloak takes over keeps its number."""


class Chosen:
    """A cloak's memory of the faces.

    Args:
        bank: what to add.
        strength: factor on it, at most 2; its budgets scale with it.

    Attributes:
        budget: the most that is added to any channel of any pixel, in whole 8-bit levels.
        selector: who chooses the members.
        header: of the bank.

    Raises:
        ConfigError: the strength is out of range, breaks a limit, or is so small that no pixel
            would change.
    """

    def __init__(self, bank: Bank, strength: float) -> None:
        self._dose = Dose(bank, strength)
        self.selector = Selector(bank.selector, bank.header.answers)
        self.budget = self._dose.budget
        self.header = bank.header

    def hear(self, verdicts: Iterable[Verdict]) -> None:
        """Take what the judges read: faces get the members that answer it, from the next frame."""
        self.selector.hear(verdicts)

    def wear(self, fitted: Iterable[Fitted]) -> None:
        """Take perturbations made to measure; their faces go over to them, from the next frame.

        One with a larger budget than the bank is not taken: it was made for another cloak.
        """
        for one in fitted:
            label = f"{OWN}:{one.track}:{next(_NUMBERS)}"
            if self._dose.add(label, one.perturbation):
                self.selector.wear(one.track, label, one.answers)
        for label in self.selector.forget_unworn():
            self._dose.remove(label)

    @property
    def own(self) -> dict[str, Perturbation]:
        """What was made to measure for the faces, by label."""
        return {label: self._dose.member(label) for label in self.selector.own}

    def follow(self, former: Cloak) -> None:
        """Begin with what another cloak knows of the faces, so that they keep their members.

        What was made to measure for them stays where it keeps the budgets of this one: all of it at
        another strength, and of another bank what they have at the moment, until the next.
        """
        if not isinstance(former, Chosen):
            return
        made = former.own
        if former.header != self.header:
            worn = {known.member for known in former.selector.known.values()}
            made = {label: member for label, member in made.items() if label in worn}
        kept = [label for label, member in made.items() if self._dose.add(label, member)]
        self.selector.follow(former.selector, kept)

    def mixes(self, frame: Frame, faces: Sequence[Face]) -> list[Mix]:
        """What each of the faces gets in a frame: shares of members by label. Any thread may."""
        return [self.selector.mix(face.track, frame.captured_s) for face in faces]

    def shifts(self, frame: Frame, faces: Sequence[Face]) -> list[Field | None]:
        """How far each of the faces is moved within itself in a frame; None where it is not.

        ``float32[S, S, 2]`` each, on the aligned face, in face widths.
        """
        return [self._dose.shift(mix) for mix in self.mixes(frame, faces)]

    def _noted(self, frame: Frame, faces: Sequence[Face]) -> list[Mix]:
        """Likewise, of a frame that is about to be shown."""
        self.selector.see((face.track for face in faces), frame.captured_s)
        return self.mixes(frame, faces)
