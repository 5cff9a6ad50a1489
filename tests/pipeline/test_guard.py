"""Stories in a table, one for each edge; then the promise for any order of events."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core.types import Output
from facecloak.pipeline.guard import Guard, GuardSettings
from tests.fakes.stages import verdict

CLOAKED, HELD, SHIELD, UNTOUCHED = Output.CLOAKED, Output.HELD, Output.SHIELD, Output.UNTOUCHED


class Step(NamedTuple):
    at_s: float
    shows: Output
    found: int = 1
    missing: int = 0
    cloaked: bool = True
    judged_s: float | None = None
    fooled: bool = True
    fails: bool = False


STRICT = GuardSettings(hold_s=0.5, proof_s=2.0)
OPEN = GuardSettings(hold_s=0.5, proof_s=2.0, empty_room="pass", empty_after_s=3.0)
HIDING = GuardSettings(hold_s=0.5, proof_s=2.0, unfooled="shield", unfooled_window_s=3.0)

STORIES = [
    pytest.param(STRICT, [Step(0, SHIELD), Step(0.1, SHIELD)], id="nothing judged yet"),
    pytest.param(
        STRICT, [Step(0, SHIELD), Step(0.1, CLOAKED, judged_s=0.0)], id="the first verdict comes"
    ),
    pytest.param(STRICT, [Step(0, CLOAKED, judged_s=0.0)], id="judged before it leaves"),
    pytest.param(
        STRICT,
        [Step(0, CLOAKED, judged_s=0.0), Step(2, CLOAKED), Step(2.1, HELD), Step(2.5, HELD),
         Step(2.6, SHIELD), Step(9, SHIELD), Step(9.1, CLOAKED, judged_s=9.0)],
        id="the judge dies, and comes back",
    ),
    pytest.param(
        STRICT,
        [Step(0, CLOAKED, judged_s=0.0), Step(1, CLOAKED, judged_s=0.9, fooled=False),
         Step(2.8, CLOAKED), Step(3, HELD)],
        id="an unfooled classifier is told of, not hidden",
    ),
    pytest.param(
        STRICT,
        [Step(0, CLOAKED, judged_s=0.0), Step(0.1, HELD, found=0, missing=1),
         Step(0.5, HELD, found=0, missing=1), Step(0.6, SHIELD, found=0, missing=1),
         Step(0.7, CLOAKED)],
        id="the one face is missed for a moment",
    ),
    pytest.param(
        STRICT,
        [Step(0, CLOAKED, found=2, judged_s=0.0), Step(0.1, HELD, found=1, missing=1),
         Step(0.6, SHIELD, found=1, missing=1), Step(0.7, CLOAKED, found=1)],
        id="one of two faces is missed",
    ),
    pytest.param(
        STRICT,
        [Step(0, CLOAKED, judged_s=0.0), Step(0.1, HELD, cloaked=False),
         Step(0.6, SHIELD, cloaked=False)],
        id="a face found is not cloaked",
    ),
    pytest.param(
        STRICT,
        [Step(0, CLOAKED, judged_s=0.0), Step(0.1, HELD, fails=True), Step(0.5, HELD, fails=True),
         Step(0.6, SHIELD, fails=True), Step(0.7, CLOAKED)],
        id="a stage fails",
    ),
    pytest.param(
        STRICT,
        [Step(0, SHIELD, found=0), Step(9, SHIELD, found=0), Step(10, CLOAKED, judged_s=10.0),
         Step(10.1, SHIELD, found=0)],
        id="an empty room is shielded at once",
    ),
    pytest.param(
        OPEN,
        [Step(0, SHIELD, found=0), Step(2.9, SHIELD, found=0), Step(3, UNTOUCHED, found=0),
         Step(3.1, SHIELD), Step(3.2, SHIELD, found=0), Step(6.1, SHIELD, found=0),
         Step(6.2, UNTOUCHED, found=0)],
        id="an empty room is shown once it surely is",
    ),
    pytest.param(
        OPEN,
        [Step(0, SHIELD, found=0), Step(float("inf"), SHIELD, found=0),
         Step(2.9, SHIELD, found=0), Step(3, UNTOUCHED, found=0)],
        id="an infinite time shows no room",
    ),
    pytest.param(
        OPEN,
        [Step(0, CLOAKED, judged_s=0.0), Step(0.1, HELD, found=0), Step(0.6, SHIELD, found=0),
         Step(3.0, SHIELD, found=0), Step(3.1, UNTOUCHED, found=0)],
        id="somebody leaves",
    ),
    pytest.param(
        OPEN,
        [Step(0, SHIELD, found=0), Step(2, SHIELD, fails=True), Step(3, SHIELD, found=0),
         Step(5.9, SHIELD, found=0), Step(6, UNTOUCHED, found=0)],
        id="a failure starts the wait for an empty room anew",
    ),
    pytest.param(
        OPEN,
        [Step(0, SHIELD, found=0), Step(2, SHIELD, found=0, missing=1), Step(3, SHIELD, found=0),
         Step(6, UNTOUCHED, found=0)],
        id="so does a missing face",
    ),
    pytest.param(
        OPEN,
        [Step(10, SHIELD, found=0), Step(0, SHIELD, found=0), Step(2.9, SHIELD, found=0),
         Step(3, UNTOUCHED, found=0)],
        id="so does a clock that is set back",
    ),
    pytest.param(
        HIDING,
        [Step(0, CLOAKED, judged_s=0.0), Step(1, CLOAKED, judged_s=1.0, fooled=False),
         Step(2, SHIELD, judged_s=2.0, fooled=False), Step(3.1, SHIELD, judged_s=3.1),
         Step(4.1, CLOAKED, judged_s=4.1)],
        id="an unfooled classifier is hidden from where that is wanted",
    ),
    pytest.param(
        HIDING,
        [Step(0, CLOAKED, judged_s=0.0), Step(0.1, HELD, fails=True),
         Step(0.2, CLOAKED, judged_s=0.2, fooled=False),
         Step(0.3, SHIELD, judged_s=0.3, fooled=False, fails=True)],
        id="and so is the frame it would be held with",
    ),
    pytest.param(
        STRICT,
        [Step(5, CLOAKED, judged_s=5.0), Step(4, SHIELD), Step(5.1, CLOAKED)],
        id="a clock that is set back proves nothing",
    ),
    pytest.param(
        STRICT, [Step(0, SHIELD, judged_s=1.0), Step(float("nan"), SHIELD)], id="from the future"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "story"), STORIES)
def test_guard(settings, story):
    guard = Guard(settings)
    for step in story:
        if step.judged_s is not None:
            guard.record([verdict(fooled=step.fooled)], judged_at_s=step.judged_s)
        if step.fails:
            shown = guard.fail(step.at_s)
        else:
            shown = guard.decide(
                step.at_s, found=step.found, missing=step.missing, cloaked=step.cloaked
            )
        assert shown is step.shows, step


def test_an_empty_round_proves_nothing():
    guard = Guard()
    guard.record([], judged_at_s=0)
    assert guard.decide(0, found=1, missing=0, cloaked=True) is SHIELD


def test_one_classifier_of_two_that_reads_the_face_is_enough_to_hide_it():
    guard = Guard(HIDING)
    guard.record([verdict(classifier="a"), verdict(classifier="b", fooled=False)], judged_at_s=0)
    assert guard.decide(0, found=1, missing=0, cloaked=True) is SHIELD


@pytest.mark.parametrize(
    "wrong",
    [{"hold_s": -0.1}, {"proof_s": float("nan")}, {"empty_after_s": 61},
     {"unfooled_window_s": float("inf")}, {"empty_room": "open"}, {"unfooled": "ignore"}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"guard.{next(iter(wrong))} must be"):
        GuardSettings(**wrong)


times_s = st.one_of(st.floats(0, 12), st.sampled_from([float("nan"), float("inf"), -1.0]))
records = st.tuples(st.just("record"), times_s, st.lists(st.booleans(), max_size=3))
fails = st.tuples(st.just("fail"), times_s)
frames = st.tuples(st.just("frame"), times_s, st.integers(0, 2), st.integers(0, 1), st.booleans())
event_orders = st.lists(st.one_of(records, fails, frames), max_size=60)
all_settings = st.builds(
    GuardSettings,
    hold_s=st.floats(0, 2),
    proof_s=st.floats(0, 3),
    empty_room=st.sampled_from(["shield", "pass"]),
    empty_after_s=st.floats(0, 3),
    unfooled=st.sampled_from(["tell", "shield"]),
)


@given(all_settings, event_orders)
def test_no_order_of_events_lets_a_face_through(settings, events):
    guard = Guard(settings)
    proofs, cloaked_at_s, empty_since_s = [], [], None
    for kind, at_s, *rest in events:
        if kind == "record":
            (fooled,) = rest
            guard.record([verdict(fooled=value) for value in fooled], judged_at_s=at_s)
            proofs += [at_s] * bool(fooled)
            continue
        if kind == "fail":
            found, missing, cloaked = None, None, False
            shown = guard.fail(at_s)
        else:
            found, missing, cloaked = rest
            shown = guard.decide(at_s, found=found, missing=missing, cloaked=cloaked)
        empty = found == 0 and missing == 0
        empty_since_s = (at_s if empty_since_s is None else empty_since_s) if empty else None

        if shown is CLOAKED:
            assert found
            assert not missing
            assert cloaked
            assert any(0 <= at_s - proof <= settings.proof_s for proof in proofs)
            cloaked_at_s.append(at_s)
        elif shown is HELD:
            assert any(0 <= at_s - sent <= settings.hold_s for sent in cloaked_at_s[-1:])
        elif shown is UNTOUCHED:
            assert settings.empty_room == "pass"
            assert empty


@given(st.lists(st.tuples(st.floats(0.001, 1), st.sampled_from(["empty", "missing", "fail"]))))
def test_a_room_is_shown_only_after_nobody_was_seen_for_long_enough(steps):
    guard = Guard(OPEN)
    now_s, empty_since_s = 0.0, None
    for passed_s, seen in steps:
        now_s += passed_s
        if seen == "empty":
            empty_since_s = now_s if empty_since_s is None else empty_since_s
            shown = guard.decide(now_s, found=0, missing=0, cloaked=False)
        else:
            empty_since_s = None
            missing = guard.decide(now_s, found=0, missing=1, cloaked=False)
            shown = guard.fail(now_s) if seen == "fail" else missing
        long_enough = empty_since_s is not None and now_s - empty_since_s >= OPEN.empty_after_s
        assert (shown is UNTOUCHED) == long_enough


def test_a_hung_judge_never_turns_the_shield_into_a_cloaked_frame():
    """Where unfooled means shield, old verdicts that have expired are no permission."""
    guard = Guard(GuardSettings(proof_s=10.0, unfooled="shield", unfooled_window_s=3.0))
    guard.record([verdict(fooled=False)], judged_at_s=0.0)
    shown = {guard.decide(t / 10, found=1, missing=0, cloaked=True) for t in range(100)}
    assert shown == {SHIELD}


def test_one_person_fooled_does_not_vouch_for_another():
    guard = Guard(GuardSettings(unfooled="shield"))
    guard.record([verdict(track=0, fooled=True), verdict(track=1, fooled=False)], judged_at_s=0.0)
    assert guard.decide(0.1, found=2, missing=0, cloaked=True) is SHIELD


# Off, on and the terms of cloaks.


def shows(guard, now_s):
    return guard.decide(now_s, found=1, missing=0, cloaked=True)


def proven(**settings):
    """A guard that let a cloaked frame out at 0 s."""
    guard = Guard(GuardSettings(**settings))
    guard.record([verdict()], judged_at_s=0.0)
    assert shows(guard, 0.0) is CLOAKED
    return guard


def test_a_frame_that_no_stage_touched_leaves_only_while_off():
    guard = proven()
    assert (guard.on, guard.bypass()) == (True, SHIELD)
    guard.switch(on=False)
    assert (guard.on, guard.bypass()) == (False, Output.OFF)
    guard.switch(on=True)
    assert (guard.on, guard.bypass()) == (True, SHIELD)


def test_while_off_nothing_else_leaves():
    guard = proven(empty_room="pass", empty_after_s=0)
    guard.switch(on=False)
    guard.record([verdict()], judged_at_s=0.1, term=guard.term)
    assert not guard.hears(guard.term)
    empty = guard.decide(0.1, found=0, missing=0, cloaked=False)
    assert [guard.fail(0.1), shows(guard, 0.1), empty] == [SHIELD] * 3


@pytest.mark.parametrize("off_between", [True, False])
def test_switching_on_forgets_proof_and_hold(off_between):
    guard = proven()
    before = guard.term
    if off_between:
        guard.switch(on=False)
    guard.switch(on=True)
    assert [shows(guard, 0.1), guard.fail(0.1)] == [SHIELD, SHIELD]
    guard.record([verdict()], judged_at_s=0.1, term=before)
    assert shows(guard, 0.1) is SHIELD
    guard.record([verdict()], judged_at_s=0.1, term=guard.term)
    assert shows(guard, 0.1) is CLOAKED


def test_switching_on_forgets_who_was_fooled_before():
    guard = proven(unfooled="shield")
    guard.record([verdict()] * 9, judged_at_s=0.0)
    guard.switch(on=False)
    guard.switch(on=True)
    guard.record([verdict(fooled=False)], judged_at_s=0.1, term=guard.term)
    assert shows(guard, 0.1) is SHIELD


def test_switching_ends_a_trial():
    guard = proven()
    trial = guard.try_out()
    guard.switch(on=True)
    guard.record([verdict()], judged_at_s=0.1, term=trial)
    assert guard.term not in {0, trial}
    assert shows(guard, 0.1) is SHIELD


def test_a_round_on_the_cloak_on_trial_brings_it_into_force():
    guard = proven()
    trial = guard.try_out()
    assert guard.term == 0
    assert shows(guard, 2.0) is CLOAKED
    guard.record([], judged_at_s=2.0, term=trial)
    assert guard.term == 0
    guard.record([verdict()], judged_at_s=2.0, term=trial)
    assert guard.term == trial
    guard.record([verdict()], judged_at_s=3.9, term=0)
    assert [shows(guard, 4.0), shows(guard, 4.1)] == [CLOAKED, HELD]


def test_a_cloak_on_trial_that_was_replaced_proves_nothing():
    guard = proven()
    first, second = guard.try_out(), guard.try_out()
    guard.record([verdict()], judged_at_s=2.0, term=first)
    assert [guard.hears(term) for term in (0, first, second)] == [True, False, True]
    assert (guard.term, shows(guard, 2.1)) == (0, SHIELD)


def test_a_cloak_is_not_fooling_because_the_one_before_was():
    guard = proven(unfooled="shield")
    guard.record([verdict()] * 9, judged_at_s=0.0)
    guard.record([verdict(fooled=False)], judged_at_s=0.1, term=guard.try_out())
    assert shows(guard, 0.1) is SHIELD


@pytest.mark.parametrize("at_s", [float("nan"), float("inf"), 9.0])
def test_verdicts_from_no_known_time_fool_nobody(at_s):
    """A clock that was set back, say: old good verdicts must not outvote the present ones."""
    guard = Guard(HIDING)
    guard.record([verdict()] * 9, judged_at_s=at_s)
    guard.record([verdict(fooled=False)], judged_at_s=0.0)
    assert shows(guard, 0.1) is SHIELD


def test_a_round_that_comes_too_late_proves_nothing():
    guard = Guard(STRICT)
    guard.record([verdict()], judged_at_s=0.0)
    assert shows(guard, 2.1) is SHIELD
