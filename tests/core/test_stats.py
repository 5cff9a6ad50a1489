import threading

import pytest

from facecloak.core.stats import StageTimes
from tests.fakes.stages import ManualClock


def test_percentiles_and_count_of_known_durations():
    times = StageTimes()
    for hundredth in range(101):
        times.add("find", hundredth / 1000)
    stages = times.summary()
    assert list(stages) == ["find"]
    assert stages["find"] == pytest.approx(
        {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0, "count": 101}
    )


def test_a_stage_is_measured_on_the_given_clock():
    clock = ManualClock()
    times = StageTimes(clock)
    with times.stage("cloak"):
        clock.now_s += 0.25
    assert times.summary()["cloak"]["p50_ms"] == pytest.approx(250)


def test_a_stage_that_raises_is_measured_too():
    clock = ManualClock()
    times = StageTimes(clock)

    def fail():
        with times.stage("find"):
            clock.now_s += 0.1
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - raised bare above
        fail()
    assert times.summary()["find"]["count"] == 1


def test_only_the_newest_durations_are_kept_but_all_are_counted():
    times = StageTimes(kept=3)
    for seconds in (9.0, 9.0, 0.001, 0.001, 0.001):
        times.add("sink", seconds)
    assert times.summary()["sink"] == pytest.approx(
        {"p50_ms": 1.0, "p95_ms": 1.0, "p99_ms": 1.0, "count": 5}
    )


def test_nothing_measured_is_an_empty_summary():
    assert StageTimes().summary() == {}


def test_threads_may_add_while_another_reads():
    times = StageTimes(kept=50)

    def work():
        for _ in range(500):
            times.add("judge", 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        times.summary()
    for thread in threads:
        thread.join()
    assert times.summary()["judge"]["count"] == 2000


def test_keeping_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        StageTimes(kept=0)


def test_the_newest_durations_come_first():
    times = StageTimes(kept=3)
    for seconds in (1.0, 2.0, 3.0, 4.0):
        times.add("find", seconds)
    assert times.recent("find", 2) == [4.0, 3.0]
    assert times.recent("find", 9) == [4.0, 3.0, 2.0]
    assert times.recent("cloak", 9) == []
