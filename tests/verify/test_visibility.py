import numpy as np
import pytest

from facecloak.verify.visibility import psnr, ssim


@pytest.mark.parametrize(("levels", "decibel"), [(2, 42.11), (4, 36.09), (8, 30.07)])
def test_psnr_of_a_uniform_change_is_the_closed_form(levels, decibel):
    clean = np.full((40, 40, 3), 100, np.uint8)
    assert psnr(clean, clean + np.uint8(levels)) == pytest.approx(decibel, abs=0.01)
    assert psnr(clean, clean) == float("inf")


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise():
    rng = np.random.default_rng(0)
    clean = rng.integers(40, 200, (64, 64, 3), dtype=np.uint8)
    little, much = (
        np.clip(clean + rng.normal(0, sigma, clean.shape), 0, 255).astype(np.uint8)
        for sigma in (3, 30)
    )
    assert ssim(clean, clean) == pytest.approx(1.0)
    assert 1.0 > ssim(clean, little) > ssim(clean, much)
