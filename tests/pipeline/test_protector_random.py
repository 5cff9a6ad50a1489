"""Any order of events, through the real protector, guard and jury: raw faces leave only while off.

Blue of every pixel says who made it (``RAW``, ``SLATE``, or the number of the cloak), green and red
say of which frame. An oracle of its own, below, says what may leave.
"""

import math
from typing import NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Frame, Output
from facecloak.pipeline.guard import Guard, GuardSettings
from facecloak.pipeline.jury import InlineJury
from facecloak.pipeline.protector import STAGE_FAILURES, Protector
from tests.fakes.desk import DeskJury
from tests.fakes.stages import RAW, SIZE, SLATE, FakeShield, face, verdict

SIZES = (SIZE, (4, 4))
FIRST = 10


def picture(maker, index, size):
    image = np.empty((size[1], size[0], 3), np.uint8)
    image[:] = maker, index % 256, index // 256
    return image


def signature(image):
    """Who made the picture, and of which frame; fails where that differs between pixels."""
    ((maker, low, high),) = np.unique(image.reshape(-1, 3), axis=0)
    return int(maker), int(low) + 256 * int(high)


class Told(NamedTuple):
    """A complete round, as the oracle knows it."""

    maker: int
    index: int
    at_s: float
    fooled: bool


class Stages:
    """Finder and judge in one, each doing what the present frame asks for."""

    def __init__(self):
        self.faces, self.faults, self.calls = Faces(), {}, 0
        self.answer, self.fooled = "all", True
        self.judged: int | None = None
        self.broke = False

    def work(self, stage):
        self.calls += 1
        if fault := self.faults.get(stage):
            self.broke = True
            raise fault

    def find(self, _frame):
        self.work("finder")
        return self.faces

    watches = True

    def watch(self, clean, cloaked, faces):
        pass

    def judge(self, clean, cloaked, faces):
        self.work("judge")
        assert signature(clean.image) == (RAW, clean.index)
        maker, index = signature(cloaked.image)
        assert maker not in {RAW, SLATE}
        assert index == clean.index
        if self.answer == "all":
            self.judged = maker
        judged = {"all": faces, "some": faces[1:], "none": ()}[self.answer]
        return tuple(verdict(one.track, fooled=self.fooled) for one in judged)

    def close(self):
        pass


class Cloak:
    """Paints its number, or does what a broken one may do."""

    def __init__(self, stages, number):
        self.stages, self.number = stages, number

    def apply(self, frame, faces):
        assert faces
        self.stages.work("cloak")
        broken = self.stages.faults.get("paint")
        if broken == "same":
            return frame
        if broken == "view":
            return frame.with_image(frame.image[::-1])
        size = (2, 2) if broken == "size" else frame.image.shape[1::-1]
        return frame.with_image(picture(self.number, frame.index, size))

    def hear(self, verdicts):
        assert verdicts
        self.stages.work("hear")

    def wear(self, fitted):
        assert fitted
        self.stages.work("wear")

    def follow(self, former):
        assert former is not self
        self.stages.work("follow")


errors = st.sampled_from(STAGE_FAILURES).map(lambda kind: kind("text with a landmark"))
one_fault = st.one_of(
    st.tuples(st.sampled_from(["finder", "cloak", "judge", "hear", "follow"]), errors),
    st.tuples(st.just("paint"), st.sampled_from(["same", "view", "size"])),
).map(lambda fault: dict([fault]))
short_s = st.floats(0, 0.5)
no_times_s = st.sampled_from([math.nan, math.inf, -math.inf])


class AnyOrder(RuleBasedStateMachine):
    """Events in any order, and after each frame the oracle."""

    @initialize(
        inline=st.booleans(),
        empty_room=st.sampled_from(["shield", "pass"]),
        unfooled=st.sampled_from(["tell", "shield"]),
        empty_after_s=st.sampled_from([0.0, 0.5]),
    )
    def start(self, inline, **policies):
        self.settings = GuardSettings(hold_s=0.3, proof_s=0.5, unfooled_window_s=0.8, **policies)
        self.stages = Stages()
        times = StageTimes()
        self.desk = None if inline else DeskJury()
        self.makers = FIRST
        self.subject = Protector(
            finder=self.stages,
            cloak=Cloak(self.stages, FIRST),
            shield=FakeShield(),
            jury=self.desk or InlineJury(self.stages, times),
            guard=Guard(self.settings),
            times=times,
        )
        self.index, self.clock_s, self.size = -1, 0.0, SIZE
        self.lost_s: float | None = None
        # What the oracle knows.
        self.ordered_on = self.on = True
        self.flipped = False
        self.first_index = 0
        self.rounds: list[Told] = []
        self.cloaked: tuple[float, np.ndarray] | None = None
        self.maker = 0
        self.empty_times_s: list[float] = []

    # Orders and time.

    @rule()
    def renew(self):
        self.makers += 1
        self.subject.renew(Cloak(self.stages, self.makers))

    @rule(on=st.booleans())
    def switch(self, on):
        self.flipped |= on != self.ordered_on
        self.ordered_on = on
        self.subject.switch(on=on)
        assert self.subject.protecting is on

    @precondition(lambda self: not self.ordered_on)
    @rule()
    def switch_on(self):
        self.switch(on=True)

    @rule(passed_s=st.sampled_from([-9.0, -1.0, -0.1, 1.0, 9.0]))
    def jump(self, passed_s):
        self.clock_s += passed_s

    @rule(at_s=no_times_s)
    def lose_the_time_of_the_next_frame(self, at_s):
        self.lost_s = at_s

    def tick(self, passed_s):
        self.clock_s += passed_s
        self.now_s = self.clock_s if self.lost_s is None else self.lost_s
        self.lost_s = None

    @rule(size=st.sampled_from(SIZES))
    def resize(self, size):
        self.size = size

    # The judge of the jury with a desk.

    @precondition(lambda self: self.desk and self.desk.desk)
    @rule(
        which=st.integers(0, 99),
        newest=st.booleans(),
        answer=st.sampled_from(["all", "all", "some"]),
        fooled=st.booleans(),
    )
    def answer(self, which, newest, answer, fooled):
        which = -1 if newest else which % len(self.desk.desk)
        case = self.desk.desk[which]
        self.desk.answer(which, fooled=fooled, complete=answer == "all")
        if answer == "all":
            maker, index = signature(case.cloaked.image)
            self.rounds.append(Told(maker, index, case.at_s, fooled))

    # Frames.

    @rule(faults=one_fault)
    def something_breaks(self, faults):
        self.frame(0.1, 1, 0, faults, "all", True)

    @rule(
        passed_s=short_s,
        count=st.sampled_from([1, 1, 1, 2, 3, 0]),
        missing=st.sampled_from([0, 0, 0, 0, 1]),
        faults=st.one_of(st.just({}), one_fault),
        answer=st.sampled_from(["all", "all", "some", "none"]),
        fooled=st.sampled_from([True, True, False]),
    )
    def any_frame(self, **kind):
        self.frame(**kind)

    def frame(self, passed_s, count, missing, faults, answer, fooled):
        self.index += 1
        self.tick(passed_s)
        stages = self.stages
        stages.faces = Faces(tuple(face(track) for track in range(count)), missing)
        stages.faults, stages.answer, stages.fooled = faults, answer, fooled
        stages.calls, stages.judged, stages.broke = 0, None, False
        raw = picture(RAW, self.index, self.size)
        out = self.subject.protect(Frame(raw, 5.0, self.index), now_s=self.now_s)
        self.take_orders(self.index)
        assert (out.frame.index, out.frame.captured_s) == (self.index, 5.0)
        if not self.on:
            assert stages.calls == 0
            assert (out.output, out.faces, out.verdicts) == (Output.OFF, Faces(), ())
            assert np.array_equal(out.frame.image, picture(RAW, self.index, self.size))
            return
        if stages.judged is not None:
            self.rounds.append(Told(stages.judged, self.index, self.now_s, fooled))
        used = {"finder"} | ({"cloak", "paint"} if count else set())
        used |= {"judge"} if count and not self.desk else set()
        failed = bool(used & faults.keys()) or stages.broke
        empty = not (count or missing or failed)
        self.empty_times_s = [*self.empty_times_s, self.now_s] if empty else []
        whole = bool(count) and not (missing or failed)
        self.check(out, whole=whole, empty=empty)
        if whole and stages.judged and math.isfinite(self.now_s):
            told = self.settings.unfooled == "tell"
            assert out.output is Output.CLOAKED or not told, "proven, and not shown all the same"

    @rule(count=st.integers(1, 3))
    def all_is_well(self, count):
        for _ in range(3):
            self.frame(0.1, count, 0, {}, "all", True)
            if self.desk and self.desk.desk:
                self.answer(0, newest=True, answer="all", fooled=True)

    @rule(count=st.integers(2, 3))
    def somebody_is_not_judged(self, count):
        self.frame(1.0, count, 0, {}, "some", True)
        if self.desk and self.desk.desk:
            self.answer(0, newest=True, answer="some", fooled=True)
        self.frame(0.1, count, 0, {}, "some", True)

    @rule(count=st.integers(0, 1))
    def off_for_a_moment(self, count):
        self.switch(on=False)
        self.frame(0.1, count, 0, {}, "all", True)
        self.switch(on=True)
        self.frame(0.1, count, 0, {}, "all", True)

    @rule(passed_s=short_s, missing=st.sampled_from([0, 0, 1]))
    def nobody_is_found(self, passed_s, missing):
        self.frame(passed_s, 0, missing, {}, "all", True)

    @rule(passed_s=short_s, size=st.sampled_from(SIZES))
    def no_picture(self, passed_s, size):
        self.tick(passed_s)
        out = self.subject.stand_in(size, captured_s=6.0, index=self.index, now_s=self.now_s)
        self.take_orders(self.index + 1)
        self.empty_times_s = []
        assert out.output in {Output.HELD, Output.SHIELD}
        assert (out.frame.index, out.frame.captured_s) == (self.index, 6.0)
        assert out.frame.image.shape[1::-1] == size
        if self.on:
            self.check(out, whole=False, empty=False)
        else:
            assert out.output is Output.SHIELD
            assert signature(out.frame.image)[0] == SLATE

    # The oracle.

    def take_orders(self, first_index):
        """What a frame does before anything else, as far as the oracle is concerned."""
        if self.flipped:
            self.first_index = first_index
            self.cloaked, self.rounds, self.empty_times_s = None, [], []
            self.maker, self.flipped = 0, False
        self.on = self.ordered_on

    def check(self, out, *, whole, empty):
        shown = out.frame.image
        maker, index = signature(shown)
        assert (maker == RAW) == (out.output is Output.UNTOUCHED)
        assert (maker == SLATE) == (out.output is Output.SHIELD)
        if out.output is Output.CLOAKED:
            assert whole
            assert index == self.index
            assert maker >= self.maker, "a cloak that was replaced is back"
            assert self.is_proven_for(maker)
            self.cloaked, self.maker = (self.now_s, shown.copy()), maker
        elif out.output is Output.HELD:
            assert self.cloaked is not None
            at_s, image = self.cloaked
            assert 0 <= self.now_s - at_s <= self.settings.hold_s
            assert np.array_equal(shown, image)
        elif out.output is Output.UNTOUCHED:
            assert self.settings.empty_room == "pass"
            assert empty
            waited_s = max(self.now_s - at_s for at_s in self.empty_times_s)
            assert waited_s >= self.settings.empty_after_s

    def is_proven_for(self, maker):
        """Whether a complete round on a picture of this cloak, made since, is recent enough."""
        ages_s = [
            (self.now_s - told.at_s, told.fooled)
            for told in self.rounds
            if told.maker == maker and told.index >= self.first_index
        ]
        window_s = self.settings.unfooled_window_s
        if self.settings.unfooled == "shield" and not any(
            fooled and 0 <= age_s <= window_s for age_s, fooled in ages_s
        ):
            return False
        return any(0 <= age_s <= self.settings.proof_s for age_s, _ in ages_s)


TestAnyOrder = pytest.mark.warns_in_log(AnyOrder.TestCase)
