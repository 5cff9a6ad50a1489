import os
import sys
import threading

import pytest

from facecloak.core.errors import DeviceError
from facecloak.core.stats import StageTimes
from facecloak.pipeline.jury import GIVES_WAY, Case, InlineJury, Round, ThreadJury
from tests.fakes.stages import CLOAKED, FakeJudge, FakeTailor, faces, raw_frame, verdict

ONE = faces(1).found


def cloaked(frame):
    image = frame.image.copy()
    image[:] = CLOAKED
    return frame.with_image(image)


def submit(jury, index, now_s):
    frame = raw_frame(index, now_s)
    jury.submit(Case(frame, cloaked(frame), ONE, now_s))


def wait_for_rounds(jury):
    """The first rounds of a jury with a thread; empty after a second of none."""
    pause = threading.Event()
    for _ in range(200):
        if heard := jury.rounds():
            return heard
        pause.wait(0.005)
    return ()


def test_inline_judges_the_very_frame():
    times = StageTimes()
    jury = InlineJury(FakeJudge(), times)
    submit(jury, 0, 1.5)
    assert jury.rounds() == (Round(1.5, (verdict(at_s=1.5),), complete=True),)
    assert jury.rounds() == ()
    assert times.summary()["judge"]["count"] == 1


def test_inline_keeps_its_pace_in_frame_time_and_after_a_step_back():
    judge = FakeJudge()
    jury = InlineJury(judge, StageTimes(), every_s=0.25)
    for index, now_s in enumerate((0.0, 0.1, 0.24, 0.25, 0.4, 0.1, 0.2)):
        submit(jury, index, now_s)
    assert judge.judged == [0, 3, 5]
    assert judge.watched == [0, 1, 2, 3, 4, 5, 6]


def test_a_face_without_a_verdict_makes_a_round_incomplete():
    class Partial(FakeJudge):
        def judge(self, clean, cloaked, faces):
            return super().judge(clean, cloaked, faces)[:1]

    jury = InlineJury(Partial(), StageTimes())
    frame = raw_frame()
    jury.submit(Case(frame, cloaked(frame), faces(2).found, 0))
    assert [heard.complete for heard in jury.rounds()] == [False]


def test_a_pace_below_zero_is_refused():
    with pytest.raises(ValueError, match="every_s"):
        InlineJury(FakeJudge(), StageTimes(), every_s=-1)


def test_the_thread_judges_the_first_frame_at_once():
    jury = ThreadJury(FakeJudge(), StageTimes(), every_s=60)
    submit(jury, 0, 0.0)
    assert [heard.at_s for heard in wait_for_rounds(jury)] == [0.0]
    jury.close()
    jury.close()


def test_the_thread_shows_frames_that_are_not_judged():
    judge = FakeJudge()
    jury = ThreadJury(judge, StageTimes(), every_s=60)
    pause = threading.Event()
    for index in range(3):
        submit(jury, index, index / 30)
        for _ in range(200):
            if len(judge.watched) > index:
                break
            pause.wait(0.005)
    jury.close()
    assert judge.watched == [0, 1, 2]
    assert judge.judged == [0]


def test_a_judge_that_does_not_want_to_watch_is_woken_for_what_it_judges_alone():
    judge = FakeJudge()
    judge.watches = False
    jury = ThreadJury(judge, StageTimes(), every_s=0.25)
    submit(jury, 0, 0.0)
    assert [heard.at_s for heard in wait_for_rounds(jury)] == [0.0]
    submit(jury, 1, 0.1)
    submit(jury, 2, 0.3)
    assert [heard.at_s for heard in wait_for_rounds(jury)] == [0.3]
    jury.close()
    assert judge.judged == judge.watched == [0, 2]


def test_frames_that_come_while_the_thread_judges_are_dropped_for_the_newest():
    going = threading.Event()
    judge = FakeJudge(hangs=going)
    jury = ThreadJury(judge, StageTimes(), every_s=0)
    for index in range(20):
        submit(jury, index, index / 30)
    going.set()
    jury.close()
    assert judge.judged[-1] == 19
    assert len(judge.judged) <= 2


@pytest.mark.warns_in_log
def test_a_judge_that_raises_is_heard_of_once_and_never_again(caplog):
    jury = ThreadJury(FakeJudge(raises=RuntimeError("secret")), StageTimes(), every_s=0)
    submit(jury, 0, 0.0)
    jury.close()
    submit(jury, 1, 1.0)
    assert jury.rounds() == ()
    assert isinstance(jury.error, RuntimeError)
    assert [record.getMessage() for record in caplog.records] == [
        "facecloak-jury ended: RuntimeError"
    ]


@pytest.mark.warns_in_log
def test_a_judge_that_hangs_does_not_keep_the_run_from_closing(caplog):
    going = threading.Event()
    jury = ThreadJury(FakeJudge(hangs=going), StageTimes(), patience_s=0.02)
    submit(jury, 0, 0.0)
    jury.close()
    assert "facecloak-jury still hangs" in caplog.text
    going.set()


# What is made to measure.


def test_inline_hands_over_what_is_made_to_measure_with_the_verdicts():
    times = StageTimes()
    jury = InlineJury(FakeJudge(), times, tailor=FakeTailor())
    submit(jury, 3, 0.5)
    (heard,) = jury.rounds()
    assert heard.verdicts
    assert [(one.track, one.perturbation) for one in heard.fitted] == [(0, "fitted in 3")]
    assert times.summary()["tailor"]["count"] == 1


def test_the_thread_hands_over_verdicts_first_and_then_what_is_made_to_measure():
    slow = threading.Event()
    jury = ThreadJury(FakeJudge(), StageTimes(), every_s=60, tailor=FakeTailor(waits=slow))
    submit(jury, 0, 0.0)
    (first,) = wait_for_rounds(jury)
    assert (bool(first.verdicts), first.complete, first.fitted) == (True, True, ())
    slow.set()
    (then,) = wait_for_rounds(jury)
    assert (then.verdicts, then.complete, len(then.fitted)) == ((), False, 1)
    jury.close()


@pytest.mark.warns_in_log
@pytest.mark.parametrize("error", [DeviceError("It broke.", "Mend it."), ValueError("odd")])
def test_a_tailor_that_fails_is_told_once_and_asked_no_more(error, caplog):
    tailor = FakeTailor(raises=error)
    jury = InlineJury(FakeJudge(), StageTimes(), tailor=tailor)
    for index in range(3):
        submit(jury, index, float(index))
    assert [(len(heard.verdicts), heard.fitted) for heard in jury.rounds()] == [(1, ())] * 3
    assert tailor.asked == 1
    (record,) = [one for one in caplog.records if "made to measure" in one.message]
    assert "the perturbation for all faces stays" in record.message
    caplog.clear()


def test_what_may_have_come_too_late_for_another_term_is_asked_for_again():
    tailor = FakeTailor()
    jury = InlineJury(FakeJudge(), StageTimes(), tailor=tailor)
    asked = []
    for index, term in enumerate((4, 4, 5, 5)):
        frame = raw_frame(index, float(index))
        jury.submit(Case(frame, cloaked(frame), ONE, float(index), term))
        asked.append(tailor.again)
    assert asked == [1, 1, 2, 2]


@pytest.mark.warns_in_log
def test_verdicts_do_not_wait_for_a_tailor_that_hangs(caplog):
    hang = threading.Event()
    jury = ThreadJury(
        FakeJudge(), StageTimes(), every_s=0.0, patience_s=0.02, tailor=FakeTailor(waits=hang)
    )
    for index in range(4):
        submit(jury, index, float(index))
        (heard,) = wait_for_rounds(jury)
        assert (heard.complete, heard.at_s) == (True, float(index))
    jury.close()
    assert "facecloak-tailor still hangs" in caplog.text
    hang.set()


@pytest.mark.warns_in_log
def test_a_tailor_that_dies_takes_no_verdict_with_it(caplog):
    jury = ThreadJury(
        FakeJudge(), StageTimes(), every_s=0.0, tailor=FakeTailor(raises=RuntimeError("secret"))
    )
    for index in range(3):
        submit(jury, index, float(index))
        assert len(wait_for_rounds(jury)) == 1
    jury.close()
    assert jury.error is None
    assert [record.getMessage() for record in caplog.records] == [
        "facecloak-tailor ended: RuntimeError"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux")
def test_who_fits_gives_way_and_who_judges_does_not():
    nice = {}

    class Judge(FakeJudge):
        def judge(self, *arguments):
            nice["judge"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            return super().judge(*arguments)

    class Fits(FakeTailor):
        def fit(self, *arguments):
            nice["tailor"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            return super().fit(*arguments)

    jury = ThreadJury(Judge(), StageTimes(), every_s=0.0, tailor=Fits())
    submit(jury, 0, 0.0)
    rounds = wait_for_rounds(jury)
    for _ in range(5):
        if any(heard.fitted for heard in rounds):
            break
        rounds += wait_for_rounds(jury)
    jury.close()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice == {"judge": own, "tailor": min(19, own + GIVES_WAY)}
