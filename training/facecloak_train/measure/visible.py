"""How visible a change of a face is."""

from dataclasses import dataclass
from typing import Final

from facecloak.core.types import Image
from facecloak.verify.visibility import psnr, ssim
from facecloak_train.measure.flip import flip

_EQUAL_DB: Final = 99.0


@dataclass(frozen=True, slots=True)
class Visible:
    """What a change costs, over the box of a face.

    Attributes:
        psnr_db: at most 99, which equal pictures have.
        ssim: in ``[0, 1]``, 1 for none.
        flip: see :mod:`facecloak_train.measure.flip`.
    """

    psnr_db: float
    ssim: float
    flip: float


def visible(before: Image, after: Image) -> Visible:
    """Compare two ``uint8[H, W, 3]``, BGR, each side at least 11 pixels."""
    return Visible(min(psnr(before, after), _EQUAL_DB), ssim(before, after), flip(before, after))
