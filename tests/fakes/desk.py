"""A jury that answers when a test says so, and what shows which cloak made a picture."""

import numpy as np

from facecloak.core.types import Output
from facecloak.pipeline.guard import GuardSettings
from facecloak.pipeline.jury import Case, Round
from tests.fakes.assembly import protector
from tests.fakes.stages import (
    FakeCloak,
    mark,
    raw_frame,
    verdict,
)

NEW, NEWER = 110, 120
GUARD = GuardSettings(hold_s=0.4, proof_s=2.0)


class DeskJury:
    """A jury whose judge answers when a test says so, in any order; as late as it likes.

    Args:
        at_once: whether a case is judged when it is submitted, as a file's are.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self.at_once = at_once
        self.desk: list[Case] = []
        self._rounds: list[Round] = []

    def submit(self, case):
        self.desk.append(case)
        if self.at_once:
            self.answer()

    def answer(self, which=-1, *, fooled=True, complete=True):
        case = self.desk.pop(which)
        heard = tuple(verdict(one.track, fooled=fooled, at_s=case.at_s) for one in case.faces)
        self._rounds.append(Round(case.at_s, heard, complete, case.term))

    def rounds(self):
        rounds, self._rounds = tuple(self._rounds), []
        return rounds

    def close(self):
        self.desk.clear()


class Paint(FakeCloak):
    """Paints everything in one colour, so that a picture shows which cloak made it."""

    def __init__(self, colour):
        super().__init__(lambda frame: frame.with_image(np.full_like(frame.image, colour)))


def fail(error):
    raise error


def started(**parts):
    """A protector that has let one cloaked frame out at 0 s, and its jury, which now is late."""
    jury = DeskJury(at_once=True)
    subject = protector(jury=jury, guard=GUARD, **parts)
    assert subject.protect(raw_frame(0, 0.0)).output is Output.CLOAKED
    jury.at_once = False
    return subject, jury


def shows(subject, at_s):
    out = subject.protect(raw_frame(round(100 * at_s), at_s))
    return out.output, mark(out.frame)
