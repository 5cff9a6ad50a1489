import cv2
import numpy as np
import torch
from facecloak_train.warp import warp

from facecloak.core import geometry


def smooth_picture():
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    return (
        127 + 60 * np.sin(x / 17 + y / 40) + 50 * np.cos(y / 13 - x / 60) + 10 * np.sin((x + y) / 9)
    )


def test_torch_and_opencv_warp_alike():
    """OpenCV 4 quantises positions to 1/32 pixel: 0.83 levels; a half-pixel mistake gives 19."""
    angle, zoom = 0.2, 1.7
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    picture_from_crop = np.array([[cos, -sin, 60.3], [sin, cos, 12.7]])
    picture = smooth_picture()
    live = cv2.warpAffine(
        picture,
        geometry.invert(picture_from_crop),
        (112, 112),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    offline = warp(
        torch.from_numpy(picture)[None, None],
        torch.from_numpy(picture_from_crop)[None].float(),
        (112, 112),
    )[0, 0].numpy()
    assert np.abs(live - offline).max() < 1.5


def test_the_identity_changes_nothing():
    faces = torch.rand(2, 1, 9, 9)
    eye = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(2, 2, 3)
    torch.testing.assert_close(warp(faces, eye, (9, 9)), faces, atol=1e-5, rtol=0)
