"""How far a cloaked face is from the captured one, over the face's box."""

import numpy as np
from skimage.metrics import structural_similarity

from facecloak.core.types import Image


def psnr(clean: Image, cloaked: Image) -> float:
    """Peak signal-to-noise ratio of two ``uint8[H, W, 3]`` pictures, in dB; infinite if equal."""
    error = float(np.mean((clean.astype(np.float32) - cloaked.astype(np.float32)) ** 2))
    return float("inf") if error == 0.0 else 10.0 * float(np.log10(255.0**2 / error))


def ssim(clean: Image, cloaked: Image) -> float:
    """Mean structural similarity of two ``uint8[H, W, 3]`` pictures, each side at least 11 pixels.

    Source: Wang et al., "Image quality assessment" (2004), with the Gaussian window of the paper.
    """
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            clean,
            cloaked,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
