import itertools

import numpy as np
import pytest
from facecloak_train.measure.accuracy import confusion_matrix, unweighted_recall
from facecloak_train.measure.fooling import (
    about,
    bootstrapped,
    fooling,
    fooling_of_readings,
    information_beyond_chance,
    mutual_information,
    wilson,
)


def one_hot(classes, count=3):
    return np.eye(count, dtype=np.float32)[classes]


def test_the_figures_of_a_small_known_case():
    truth = np.array([0, 0, 1, 1, 2, 2])
    clean = one_hot([0, 0, 1, 1, 2, 0])
    cloaked = one_hot([1, 1, 1, 1, 1, 0])
    figures = fooling(clean, cloaked, truth)
    assert figures.fooling_rate == pytest.approx(3 / 6)
    assert figures.clean_accuracy == pytest.approx(5 / 6)
    assert figures.accuracy == pytest.approx(2 / 6)
    assert figures.sink_share == pytest.approx(5 / 6)
    assert figures.clean_uar == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert figures.uar == pytest.approx((0 + 1 + 0) / 3)
    assert figures.low < figures.fooling_rate < figures.high
    assert figures.accuracy_low < figures.accuracy < figures.accuracy_high
    assert 0.0 <= figures.uar_low < figures.uar < figures.uar_high <= 1.0
    assert figures.bits == pytest.approx(
        mutual_information(confusion_matrix(truth, cloaked.argmax(1), 3))
    )
    assert fooling_of_readings(clean.argmax(1), cloaked.argmax(1), truth, 3) == figures


def test_mutual_information_closed_forms():
    truth = np.arange(1000) % 4
    for said, bits in ((truth, 2.0), (np.zeros(1000, int), 0.0), (truth // 2, 1.0)):
        assert mutual_information(confusion_matrix(truth, said, 4)) == pytest.approx(bits)


def test_the_bootstrap_s_interval_is_as_wide_as_that_of_a_known_distribution():
    # The recall of two classes of n faces each at p has the variance p (1 - p) / 2n.
    counts = np.array([[600, 200], [200, 600]])
    low, high = bootstrapped(unweighted_recall, counts)
    half = 1.96 * (0.75 * 0.25 / 1600) ** 0.5
    assert (low, high) == (
        pytest.approx(0.75 - half, abs=3e-3),
        pytest.approx(0.75 + half, abs=3e-3),
    )


SINK = np.array([0.05, 0.02, 0.6, 0.05, 0.15, 0.05, 0.08])


@pytest.mark.parametrize("told", [0.0, 0.15, 0.3])
def test_the_interval_of_bits_holds_what_is_true_nine_times_in_ten_where_little_is_told(told):
    share = told * np.eye(7) / 7 + (1.0 - told) / 7 * SINK
    rng = np.random.default_rng(0)
    true = mutual_information(np.rint(1e9 * share).astype(np.int64))
    held = 0
    for _ in range(100):
        counts = rng.multinomial(250, share.ravel() / share.sum()).reshape(7, 7)
        low, high = about(information_beyond_chance(counts), mutual_information, counts)
        held += low <= true <= high
    assert held >= 90


def test_what_tells_nothing_tells_no_bits_beyond_chance():
    rng = np.random.default_rng(0)
    drawn = [
        confusion_matrix(rng.integers(0, 7, 100), rng.integers(0, 7, 100), 7) for _ in range(200)
    ]
    usual = np.mean([mutual_information(one) for one in drawn])
    beyond = np.mean([information_beyond_chance(one) for one in drawn])
    assert usual > 0.25
    assert 0.0 <= beyond < 0.03


def test_chance_is_the_mean_over_all_pairings():
    truth, said = np.array([0, 0, 1, 1, 2]), np.array([1, 1, 0, 0, 1])
    chance = np.mean(
        [
            mutual_information(confusion_matrix(truth, np.array(one), 3))
            for one in itertools.permutations(said)
        ]
    )
    counts = confusion_matrix(truth, said, 3)
    assert information_beyond_chance(counts) == pytest.approx(mutual_information(counts) - chance)


def test_of_many_faces_chance_is_nothing():
    counts = 100_000 * np.array([[3, 1, 0], [0, 2, 2], [1, 0, 5]])
    assert information_beyond_chance(counts) == pytest.approx(mutual_information(counts), abs=1e-5)


def test_wilson_interval_of_a_textbook_case():
    low, high = wilson(0.5, 10)
    assert (low, high) == (pytest.approx(0.2366, abs=1e-3), pytest.approx(0.7634, abs=1e-3))
    assert wilson(0.0, 100)[0] == 0.0
    assert wilson(1.0, 67)[1] == 1.0  # just below, as floats are rounded


def test_a_share_is_in_its_wilson_interval():
    for count in range(1, 120):
        for seen in range(count + 1):
            low, high = wilson(seen / count, count)
            assert 0.0 <= low <= seen / count <= high <= 1.0
