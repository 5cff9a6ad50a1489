"""What any classifier at the far end of a call is asked, and how."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from facecloak.verify.criteria import Logits

_BATCH: Final = 64


class Victim(Protocol):
    """Reads aligned faces, without gradients.

    Attributes:
        name: as it stands in tables.
        architecture: of its network.
        sha256: digest of its weights; of an export that on its card.
        input_px: side of the crops that it takes, in pixels.
    """

    name: str
    architecture: str
    sha256: str
    input_px: int

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """Read grey faces, ``uint8[N, S, S]``: ``float32[N, C]``, C as in FER2013."""
        ...


def read(victim: Victim, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """What a classifier reads from crops of its size: ``int64[N]``, indices into ``LABELS``."""
    parts = [np.stack(crops[at : at + _BATCH]) for at in range(0, len(crops), _BATCH)]
    said = [victim.logits(part).argmax(axis=1) for part in parts]
    return np.concatenate(said).astype(np.int64) if said else np.zeros(0, np.int64)
