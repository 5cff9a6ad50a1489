import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.cloak.selector import ANEW_S, FADE_S, GONE_S, Selector
from facecloak.core.types import Reading, Verdict

ANSWERS = ("happy", "sad")
LABELS = (*ANSWERS, "surprised")


def says(label, at_s, *, track=1, by="Net"):
    return Verdict(by, track, at_s, Reading(label, 0.9), Reading("neutral", 0.5), fooled=True)


def run(selector, readings, *, track=1, every_s=0.04):
    """Show the face in frames from the first reading to a second after the last; the mixes."""
    shown, waiting = [], list(readings)
    first_s, last_s = waiting[0][0], waiting[-1][0]
    for index in range(round((last_s + 1.0 - first_s) / every_s) + 1):
        now_s = first_s + index * every_s
        selector.see([track], now_s)
        shown.append((now_s, selector.mix(track, now_s)))
        while waiting and waiting[0][0] <= now_s:
            at_s, label = waiting.pop(0)
            selector.hear([says(label, at_s, track=track)])
    return shown


def settled(selector, label="happy", at_s=0.0, track=1):
    """A face that has been on a member for a second."""
    run(selector, [(at_s, label)], track=track)
    now_s = at_s + 1.0
    assert selector.mix(track, now_s) == {label: 1.0}
    return now_s


def test_a_face_not_read_yet_gets_the_member_for_every_face():
    selector = Selector("Net", ANSWERS)
    selector.see([1], 0.0)
    assert selector.mix(1, 0.0) == selector.mix(2, 9.0) == {"any": 1.0}


def test_a_face_read_before_it_is_shown_begins_with_its_member():
    selector = Selector("Net", ANSWERS)
    for track, at_s in ((1, 0.0), (2, 0.1)):
        selector.hear([says("sad", at_s, track=track)])
        selector.see([1, track], at_s)
        assert selector.mix(track, at_s) == {"sad": 1.0}


@pytest.mark.parametrize("verdict", [says("happy", 0.0, by="Other"), says("surprised", 0.0)])
def test_another_classifier_and_a_label_without_a_member_change_nothing(verdict):
    selector = Selector("Net", ANSWERS)
    selector.hear([verdict])
    selector.see([1], 0.0)
    assert selector.mix(1, 0.0) == {"any": 1.0}


def test_the_reading_of_the_clean_face_counts_and_not_that_of_the_cloaked_one():
    selector = Selector("Net", (*ANSWERS, "neutral"))
    selector.hear([says("happy", 0.0)])
    assert selector.mix(1, 0.0) == {"happy": 1.0}


def test_a_fade_goes_evenly_from_the_member_before_to_the_new_one():
    selector = Selector("Net", ANSWERS)
    selector.see([1], 10.0)
    selector.hear([says("happy", 9.8)])
    for share in (0.0, 0.25, 0.5, 0.75):
        mix = selector.mix(1, 10.0 + share * FADE_S)
        assert mix.get("happy", 0.0) == pytest.approx(share)
        assert mix["any"] == pytest.approx(1 - share)
    assert selector.mix(1, 10.0 + FADE_S) == {"happy": 1.0}


@pytest.mark.parametrize("every_s", [1 / 30, 0.1, 0.25, 0.5, 1.0])
def test_a_real_change_is_followed_within_two_readings_or_half_a_second(every_s):
    selector = Selector("Net", ANSWERS)
    now_s = settled(selector)
    readings = [(now_s + (n + 1) * every_s, "sad") for n in range(max(2, math.ceil(0.5 / every_s)))]
    run(selector, readings)
    assert selector.mix(1, readings[-1][0] + 1.0) == {"sad": 1.0}


@pytest.mark.parametrize("every_s", [1 / 30, 0.1, 0.25, 0.5, 1.0, 1.9])
def test_readings_that_alternate_bring_no_other_member(every_s):
    selector = Selector("Net", ANSWERS)
    now_s = settled(selector)
    readings = [(now_s + (n + 1) * every_s, ("sad", "happy")[n % 2]) for n in range(40)]
    assert all(mix == {"happy": 1.0} for _, mix in run(selector, readings))


def test_a_fifth_of_a_second_at_thirty_readings_a_second_brings_no_other_member():
    selector = Selector("Net", ANSWERS)
    now_s = settled(selector)
    labels = ["happy"] * 30 + ["sad"] * 6 + ["happy"] * 30
    readings = [(now_s + n / 30, label) for n, label in enumerate(labels)]
    assert all(mix == {"happy": 1.0} for _, mix in run(selector, readings))


@pytest.mark.parametrize("every_s", [1 / 30, 0.25, 2.0])
def test_one_reading_that_is_out_of_line_brings_no_other_member(every_s):
    selector = Selector("Net", ANSWERS)
    now_s = settled(selector)
    labels = ["happy", "happy", "sad", "happy", "happy"]
    readings = [(now_s + (n + 1) * every_s, label) for n, label in enumerate(labels)]
    assert all(mix == {"happy": 1.0} for _, mix in run(selector, readings))


def test_where_the_readings_end_a_face_keeps_its_member():
    selector = Selector("Net", ANSWERS)
    now_s = settled(selector)
    for index in range(3000):
        selector.see([1], now_s + index / 30)
    assert selector.mix(1, now_s + 100) == {"happy": 1.0}


def test_the_first_reading_after_a_gap_counts_alone():
    selector = Selector("Net", ANSWERS)
    settled(selector)
    run(selector, [(ANEW_S + 0.1, "sad")])
    assert selector.mix(1, ANEW_S + 1.1) == {"sad": 1.0}


def test_faces_have_members_of_their_own():
    selector = Selector("Net", ANSWERS)
    selector.hear([says("happy", 0.0, track=1), says("sad", 0.0, track=2)])
    assert [selector.mix(track, 0.0) for track in (1, 2, 3)] == [
        {"happy": 1.0}, {"sad": 1.0}, {"any": 1.0},
    ]  # fmt: skip


def test_a_face_that_is_gone_is_forgotten_and_one_that_is_missed_is_not():
    selector = Selector("Net", ANSWERS)
    now_s = settled(selector, track=7)
    selector.see([8], now_s + GONE_S)
    assert selector.mix(7, now_s + GONE_S) == {"happy": 1.0}
    selector.see([8], now_s + GONE_S + 0.1)
    selector.hear([says("sad", now_s, track=7)])  # late, on a frame from before
    selector.see([8], now_s + GONE_S + 0.2)
    assert not selector.known
    assert set(selector.shown_s) == {8}


def test_a_clock_that_is_set_back_lets_a_fade_go_on_where_it_was():
    selector = Selector("Net", ANSWERS)
    selector.see([1], 1000.0)
    selector.hear([says("happy", 1000.0)])
    selector.see([1], 1000.0 + 0.4 * FADE_S)
    assert selector.mix(1, 1000.0 + 0.4 * FADE_S)["happy"] == pytest.approx(0.4)
    selector.see([1], 3.0)
    assert selector.mix(1, 3.0)["happy"] == pytest.approx(0.4)
    assert selector.mix(1, 3.0 + 0.7 * FADE_S) == {"happy": 1.0}
    selector.hear([says("sad", 3.2), says("sad", 3.5)])
    assert selector.mix(1, 5.0) == {"sad": 1.0}


def test_a_clock_that_stands_still_changes_no_picture_and_one_that_goes_on_does():
    selector = Selector("Net", ANSWERS)
    for _ in range(50):
        selector.see([1], 2.0)
        selector.hear([says("happy", 2.0)])
        assert selector.mix(1, 2.0) == {"any": 1.0}
    assert selector.mix(1, 3.0) == {"happy": 1.0}


@pytest.mark.parametrize("no_time", [math.nan, math.inf, -math.inf])
def test_a_frame_without_a_time_gets_the_mix_of_the_newest_that_had_one(no_time):
    selector = Selector("Net", ANSWERS)
    selector.see([1], 0.0)
    selector.hear([says("happy", 0.0)])
    selector.see([1], 0.5 * FADE_S)
    newest = selector.mix(1, 0.5 * FADE_S)
    selector.see([1], no_time)
    selector.hear([says("sad", no_time)])
    assert selector.mix(1, no_time) == newest
    assert selector.mix(1, 9.0) == {"happy": 1.0}


def test_one_that_follows_goes_on_as_the_one_before_would_have():
    former = Selector("Net", ANSWERS)
    settled(former)
    former.hear([says("sad", 1.2), says("sad", 1.5)])
    former.see([1], 1.6)
    after = Selector("Net", ANSWERS)
    after.follow(former)
    for one in (former, after):
        one.hear([says("happy", 1.7), says("happy", 2.0)])
    for step in range(20):
        assert after.mix(1, 1.0 + step / 10) == former.mix(1, 1.0 + step / 10)
    after.hear([says("sad", 2.2, track=4)])
    after.see([4, 5], 2.3)
    assert former.shown_s.keys() == {1}
    assert former.mix(4, 9.0) == {"any": 1.0}, "what one learns is not told back"


def test_one_that_follows_with_fewer_members_takes_the_rest_for_every_face():
    former = Selector("Net", ANSWERS)
    settled(former, "happy", track=1)
    settled(former, "sad", track=2)
    after = Selector("Net", ("sad",))
    after.follow(former)
    assert [after.mix(track, 9.0) for track in (1, 2)] == [{"any": 1.0}, {"sad": 1.0}]


@pytest.mark.parametrize("former", [Selector("Other", ANSWERS), Selector("", ())])
def test_one_that_hears_another_classifier_begins_with_nothing(former):
    former.hear([says("happy", 0.0, by="Other")])
    after = Selector("Net", ANSWERS)
    after.follow(former)
    assert after.mix(1, 0.0) == {"any": 1.0}


def test_a_bank_of_one_hears_nothing():
    selector = Selector("", ())
    selector.see([1], 0.0)
    selector.hear([says("happy", 0.0, by="")])
    assert selector.mix(1, 9.0) == {"any": 1.0}
    assert not selector.known


# Whatever comes.

steps = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.floats(-3, 3)),
        st.tuples(st.just("see"), st.floats(0.01, 0.1)),
        st.tuples(st.sampled_from(LABELS), st.floats(-1.0, 0.0)),
        st.tuples(st.sampled_from(LABELS), st.just(math.nan)),
    ),
    max_size=60,
)


@given(steps)
def test_shares_are_always_those_of_members_and_one_in_sum(script):
    selector, now_s = Selector("Net", ANSWERS), 0.0
    for what, by_s in script:
        if what == "see":
            now_s += by_s
            selector.see([1], now_s)
        else:
            selector.hear([says(what, now_s + by_s)])
        for at_s in (now_s, now_s - 0.2, now_s + 0.2, math.nan):
            mix = selector.mix(1, at_s)
            assert mix.keys() <= {"any", *ANSWERS}
            assert all(0 <= share <= 1 for share in mix.values())
            assert sum(mix.values()) == pytest.approx(1)
        for known in selector.known.values():
            assert all(0 <= share <= 1 for share in known.shares.values())
            assert sum(known.shares.values()) == pytest.approx(1)


pauses_s = st.one_of(st.floats(0.02, 0.08), st.floats(0.02, 1.0))
spoken = st.lists(st.tuples(pauses_s, st.sampled_from(LABELS)), min_size=1, max_size=40)


@given(spoken)
def test_no_frame_brings_more_than_its_part_of_a_fade(pauses):
    times_s = itertools.accumulate(pause_s for pause_s, _ in pauses)
    readings = [(at_s, label) for at_s, (_, label) in zip(times_s, pauses, strict=True)]
    selector, every_s = Selector("Net", ANSWERS), 0.02
    shown = run(selector, readings, every_s=every_s)
    for (_, one), (_, other) in itertools.pairwise(shown):
        moved = sum(abs(one.get(k, 0) - other.get(k, 0)) for k in one.keys() | other.keys())
        assert moved / 2 <= every_s / FADE_S + 1e-6


@given(spoken)
def test_a_member_once_chosen_stays_a_while(pauses):
    selector, at_s, chosen_s = Selector("Net", ANSWERS), 0.0, -math.inf
    member = "any"
    for pause_s, label in pauses:
        at_s += pause_s
        selector.see([1], at_s)
        selector.hear([says(label, at_s)])
        now = selector.known[1].member
        if now != member:
            assert at_s - chosen_s > 0.24
            member, chosen_s = now, at_s


@given(spoken, st.floats(0, 1))
def test_a_frame_keeps_its_mix_however_often_it_is_asked_for(pauses, late_s):
    """So that what was moved can be told from what was added, after the verdicts have come."""
    selector, now_s = Selector("Net", ANSWERS), 0.0
    for pause_s, label in pauses:
        now_s += pause_s
        selector.see([1], now_s)
        shown = selector.mix(1, now_s)
        selector.hear([says(label, now_s - late_s)])
        assert selector.mix(1, now_s) == pytest.approx(shown)
