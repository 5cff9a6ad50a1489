import math

import numpy as np
import pytest
from facecloak_train.measure.fooling import fooling, mutual_information, wilson


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
    assert figures.low < figures.fooling_rate < figures.high


def test_mutual_information_closed_forms():
    truth = np.arange(1000) % 4
    assert mutual_information(truth, truth, 4) == pytest.approx(2.0)
    assert mutual_information(truth, np.zeros(1000, int), 4) == pytest.approx(0.0)
    assert mutual_information(truth, truth // 2, 4) == pytest.approx(1.0)


def test_wilson_interval_of_a_textbook_case():
    low, high = wilson(0.5, 10)
    assert (low, high) == (pytest.approx(0.2366, abs=1e-3), pytest.approx(0.7634, abs=1e-3))
    assert wilson(0.0, 100)[0] == 0.0
    assert math.isclose(wilson(1.0, 100)[1], 1.0)
