import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facecloak.calibrate import looks
from facecloak.calibrate.crops import CROP_PX
from facecloak.calibrate.exam import ENOUGH, Exam, leads
from facecloak.verify import criteria
from tests.calibrate.judging import Judge, cloak, still

logits = st.tuples(st.integers(1, 6), st.integers(2, 7)).flatmap(
    lambda shape: st.tuples(
        *(arrays.arrays(np.float32, shape, elements=st.floats(-9, 9, width=16)) for _ in range(2))
    )
)


@given(logits)
def test_a_lead_above_zero_is_a_face_that_is_fooled(pair):
    clean, cloaked = pair
    lead = leads(clean, cloaked)
    fooled = criteria.fooled(clean, cloaked)
    assert fooled[lead > 0].all()
    assert not fooled[lead < 0].any()


def test_a_lead_is_counted_from_the_class_that_was_read():
    clean = np.array([[0, 5, 1], [2, 1, 0]], np.float32)
    cloaked = np.array([[4, 1, 2], [3, -1, 1]], np.float32)
    np.testing.assert_array_equal(leads(clean, cloaked), [3, -2])


@pytest.mark.parametrize(("levels", "gain", "rate"), [(2.0, 1.0, 1.0), (8.0, ENOUGH, 1.0)])
def test_an_exam_measures_what_the_cloak_does(levels, gain, rate):
    """A judge that reads the middle of a grey face: sad at 100, happy from 101 on."""
    grey = np.full((3, CROP_PX, CROP_PX), 100, np.uint8)
    drawn = looks.draw(grey, np.random.default_rng(0), misalignment=looks.EXACT)
    judge = Judge(lambda faces: faces[:, 8:16, 8:16].mean(axis=(1, 2)) - 101.0)
    exam = Exam(judge, drawn, cloak)
    assert exam.gain(still(level=levels)) == pytest.approx(gain, abs=1e-5)
    assert exam.outcome(still(level=levels)) == (rate, pytest.approx(levels - 1.0))
    assert exam.outcome(still(level=-levels)) == (0.0, pytest.approx(-levels - 1.0))
