import numpy as np

from facecloak.verify.criteria import fooled, softmax


def test_fooled_means_another_class_and_nothing_else():
    clean = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 5.0]], np.float32)
    cloaked = np.array([[0.1, 9.0, 0.0], [0.0, 0.2, 0.1], [9.0, 0.0, 5.0]], np.float32)
    assert fooled(clean, cloaked).tolist() == [True, False, True]
    assert not fooled(clean, clean).any()


def test_softmax_sums_to_one_and_survives_large_logits():
    probabilities = softmax(np.array([[1e4, 0.0], [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(probabilities, [[1, 0], [0.5, 0.5]])
