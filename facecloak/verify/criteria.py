"""What counts as fooled. The live guard and every measurement call these same functions."""

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]


def fooled(clean: Logits, cloaked: Logits) -> NDArray[np.bool_]:
    """Whether the most likely class differs: ``argmax f(x + v) != argmax f(x)``.

    Source: the fooling rate of Moosavi-Dezfooli et al., "Universal adversarial perturbations"
    (CVPR 2017), face by face. The true expression plays no part.

    Args:
        clean: ``float32[N, C]``, logits of the faces as captured.
        cloaked: ``float32[N, C]``, of the same faces as sent.

    Returns:
        ``bool[N]``.
    """
    changed: NDArray[np.bool_] = clean.argmax(axis=1) != cloaked.argmax(axis=1)
    return changed


def leads(clean: Logits, cloaked: Logits) -> NDArray[np.float32]:
    """By how much the best other class leads over the class that is read in the clean face.

    Above zero exactly where ``fooled`` holds, save for ties.

    Args:
        clean: ``float32[N, C]``, logits of the faces as captured.
        cloaked: ``float32[N, C]``, of the same faces as sent.

    Returns:
        ``float32[N]``, logits.
    """
    read = clean.argmax(axis=1)[:, None]
    own = np.take_along_axis(cloaked, read, axis=1)[:, 0]
    others = cloaked.copy()
    np.put_along_axis(others, read, -np.inf, axis=1)
    lead: NDArray[np.float32] = others.max(axis=1) - own
    return lead


def softmax(logits: Logits) -> Logits:
    """Probabilities, ``float32[N, C]``, of logits of the same shape."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Logits = raised / raised.sum(axis=1, keepdims=True)
    return probabilities
