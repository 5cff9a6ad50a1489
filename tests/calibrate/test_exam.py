import numpy as np
import pytest

from facecloak.calibrate import looks
from facecloak.calibrate.crops import CROP_PX
from facecloak.calibrate.exam import Exam
from tests.calibrate.judging import Judge, cloak, still


@pytest.mark.parametrize("levels", [2.0, 8.0])
def test_an_exam_measures_what_the_cloak_does(levels):
    """A judge that reads the middle of a grey face: sad at 100, happy from 101 on."""
    grey = np.full((3, CROP_PX, CROP_PX), 100, np.uint8)
    drawn = looks.draw(grey, np.random.default_rng(0), misalignment=looks.EXACT)
    judge = Judge(lambda faces: faces[:, 8:16, 8:16].mean(axis=(1, 2)) - 101.0)
    exam = Exam(judge, drawn, cloak)
    assert exam.outcome(still(level=levels)) == (1.0, pytest.approx(levels - 1.0))
    assert exam.outcome(still(level=-levels)) == (0.0, pytest.approx(-levels - 1.0))
