import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.pipeline.escalation import WINDOW_S, Escalation, Rung, ladder
from tests.fakes.stages import verdict


def test_the_ladder_goes_up_to_the_highest_strength_and_then_to_other_perturbations():
    assert ladder("a", 0.5, highest=1.1, others=["a", "b"]) == (
        Rung("a", 0.5),
        Rung("a", 0.75),
        Rung("a", 1.0),
        Rung("a", 1.1),
        Rung("b", 1.1),
    )


@given(st.floats(0.15, 2), st.floats(0.15, 2))
def test_a_ladder_begins_with_the_wish_and_never_exceeds_it_or_the_highest(strength, highest):
    strengths = [rung.strength for rung in ladder("a", strength, highest=highest, others=[])]
    assert strengths[0] == strength
    assert strengths == sorted(set(strengths))
    assert max(strengths) == max(strength, highest)


def climbs(fooled, seconds, *, rungs=4, every_s=0.25, tracks=1):
    """When it climbs, if ``fooled(at_s, track)`` says what the classifier makes of the face."""
    subject = Escalation(tuple(Rung("a", 0.25 * n) for n in range(1, rungs + 1)))
    climbed = []
    for step in range(int(seconds / every_s)):
        now_s = step * every_s
        heard = [verdict(track, fooled=fooled(now_s, track), at_s=now_s) for track in range(tracks)]
        if subject.hear(heard, now_s) is not None:
            climbed.append(now_s)
    return climbed, subject


def test_a_classifier_that_is_fooled_changes_nothing():
    climbed, subject = climbs(lambda _at, _track: True, 60)
    assert climbed == []
    assert subject.rung == Rung("a", 0.25)


def test_a_classifier_that_reads_the_face_makes_it_climb_to_the_last_rung_and_stay():
    climbed, subject = climbs(lambda _at, _track: False, 60)
    assert climbed == [WINDOW_S, 2 * WINDOW_S, 3 * WINDOW_S]
    assert subject.exhausted


def test_it_stops_where_the_classifier_is_fooled():
    climbed, subject = climbs(lambda at_s, _track: at_s > WINDOW_S, 60)
    assert climbed == [WINDOW_S]
    assert subject.rung == Rung("a", 0.5)


def test_one_face_that_is_read_among_several_is_enough():
    climbed, _ = climbs(lambda _at, track: track == 0, 8, tracks=2)
    assert climbed == [WINDOW_S, 2 * WINDOW_S]


def test_a_blink_is_not_enough():
    assert climbs(lambda at_s, _track: at_s % 3 > 1, 60)[0] == []


def test_verdicts_from_before_a_climb_do_not_count():
    subject = Escalation((Rung("a", 0.5), Rung("a", 0.75), Rung("a", 1.0)))
    subject.hear([verdict(fooled=False, at_s=0.0)], 0.0)
    assert subject.hear([verdict(fooled=False, at_s=3.0)], 3.0) == Rung("a", 0.75)
    assert subject.hear([verdict(fooled=False, at_s=2.9)], 6.1) is None


def test_a_face_that_comes_in_later_is_given_its_three_seconds_too():
    subject = Escalation((Rung("a", 0.5), Rung("a", 0.75)))
    for step in range(40):
        now_s = step / 4
        heard = [verdict(0, at_s=now_s)]
        if now_s >= 5:
            heard.append(verdict(1, fooled=False, at_s=now_s))
        climbed = subject.hear(heard, now_s)
        assert (climbed is not None) == (now_s == 5 + WINDOW_S)


def test_a_face_that_comes_back_is_given_its_three_seconds_again():
    subject = Escalation((Rung("a", 0.5), Rung("a", 0.75)))
    subject.hear([verdict(fooled=False, at_s=0.0)], 0.0)
    subject.hear([verdict(fooled=False, at_s=1.0)], 1.0)
    assert subject.hear([verdict(fooled=False, at_s=60.0)], 60.0) is None
    assert subject.hear([verdict(fooled=False, at_s=62.0)], 62.9) is None
    assert subject.hear([verdict(fooled=False, at_s=63.0)], 63.0) == Rung("a", 0.75)


@pytest.mark.parametrize("now_s", [float("nan"), float("-inf")])
def test_a_time_that_is_none_changes_nothing(now_s):
    subject = Escalation((Rung("a", 0.5), Rung("a", 0.75)))
    assert subject.hear([verdict(fooled=False)], now_s) is None
