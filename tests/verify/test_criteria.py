import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facecloak.verify.criteria import fooled, leads, softmax

logits = st.tuples(st.integers(1, 6), st.integers(2, 7)).flatmap(
    lambda shape: st.tuples(
        *(arrays.arrays(np.float32, shape, elements=st.floats(-9, 9, width=16)) for _ in range(2))
    )
)


@given(logits)
def test_a_lead_above_zero_is_a_face_that_is_fooled(pair):
    clean, cloaked = pair
    lead = leads(clean, cloaked)
    changed = fooled(clean, cloaked)
    assert changed[lead > 0].all()
    assert not changed[lead < 0].any()


def test_a_lead_is_counted_from_the_class_that_was_read():
    clean = np.array([[0, 5, 1], [2, 1, 0]], np.float32)
    cloaked = np.array([[4, 1, 2], [3, -1, 1]], np.float32)
    np.testing.assert_array_equal(leads(clean, cloaked), [3, -2])


def test_fooled_means_another_class_and_nothing_else():
    clean = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 5.0]], np.float32)
    cloaked = np.array([[0.1, 9.0, 0.0], [0.0, 0.2, 0.1], [9.0, 0.0, 5.0]], np.float32)
    assert fooled(clean, cloaked).tolist() == [True, False, True]
    assert not fooled(clean, clean).any()


def test_softmax_sums_to_one_and_survives_large_logits():
    probabilities = softmax(np.array([[1e4, 0.0], [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(probabilities, [[1, 0], [0.5, 0.5]])
