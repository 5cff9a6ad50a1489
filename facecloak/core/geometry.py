"""Where a face is: similarity transforms between the frame, the aligned face and its crops.

Pixel centres are at whole numbers, as in OpenCV. In face coordinates the aligned face fills the
unit square, with its edges at 0 and 1, so a crop of N pixels has ``p_crop = N * u - 0.5``.
"""

import math
from typing import Final

import numpy as np

from facecloak.core.errors import DegenerateFace
from facecloak.core.types import Affine, Points


def _fixed(*points: tuple[float, float]) -> Points:
    array = np.array(points, dtype=np.float64)
    array.flags.writeable = False
    return array


TEMPLATE_INDICES: Final = (33, 133, 362, 263, 168, 6, 197, 195, 2, 98, 327, 234, 454)
"""Landmarks of MediaPipe's face mesh that an expression hardly moves: the corners of the right and
the left eye, the bridge of the nose, its foot and wings, the temples."""
TEMPLATE_MIRROR: Final = (3, 2, 1, 0, 4, 5, 6, 7, 8, 10, 9, 12, 11)
"""Where in ``TEMPLATE_INDICES`` the mirror image of each landmark stands."""
TEMPLATE_POINTS: Final = _fixed(
    *((0.2365, 0.3868), (0.3971, 0.4007), (0.6029, 0.4007), (0.7635, 0.3868)),
    *((0.5000, 0.3741), (0.5000, 0.4223), (0.5000, 0.4640), (0.5000, 0.5024)),
    *((0.5000, 0.6563), (0.3969, 0.6403), (0.6031, 0.6403)),
    *((0.1219, 0.4618), (0.8781, 0.4618)),
)
"""``float64[13, 2]``, face coordinates: where FER2013 has these landmarks.

The median over the 2840 faces that MediaPipe 0.10.21 finds in 3000 random training faces of
FER2013, made symmetric; another 3000 differ by 0.003. Reproduced by
``facecloak_train.recipes.measure_template.measure_template(data, count=3000, seed=0)``.
"""
KEYPOINT_MIRROR: Final = (1, 0, 2, 3, 5, 4)
"""Where in ``KEYPOINT_POINTS`` the mirror image of each keypoint stands."""
KEYPOINT_POINTS: Final = _fixed(
    *((0.3150, 0.3989), (0.6850, 0.3989), (0.5000, 0.6057), (0.5000, 0.7793)),
    *((0.1330, 0.4664), (0.8670, 0.4664)),
)
"""``float64[6, 2]``, face coordinates: BlazeFace's right eye, left eye, nose tip, mouth, right and
left ear tragion; measured the same way on 2899 faces."""

_TINY: Final = 1e-9


def similarity(src: Points, dst: Points) -> Affine:
    """Least-squares rotation, uniform scale and shift that takes ``src`` to ``dst``.

    Umeyama's problem (1991) in the plane without reflection, where it has a closed form.

    Args:
        src: ``float64[N, 2]`` points, N >= 2, not all equal.
        dst: ``float64[N, 2]`` points in the same order, not all equal.

    Returns:
        ``float64[2, 3]`` such that ``dst ~= src @ m[:, :2].T + m[:, 2]``; never a reflection.

    Raises:
        DegenerateFace: points coincide or are not finite, so no transform exists.
    """
    src_mean, dst_mean = src.mean(axis=0), dst.mean(axis=0)
    a, b = src - src_mean, dst - dst_mean
    spread = float((a * a).sum())
    cos = float((a * b).sum())
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    if not (math.isfinite(spread) and spread > _TINY and math.hypot(cos, sin) > _TINY * spread):
        msg = "The landmarks of the face coincide or are not finite."
        raise DegenerateFace(msg)
    linear = np.array([[cos, -sin], [sin, cos]]) / spread
    return np.hstack([linear, (dst_mean - linear @ src_mean)[:, None]])


def invert(affine: Affine) -> Affine:
    """The transform back: ``b_from_a`` of ``a_from_b``.

    Raises:
        DegenerateFace: the transform flattens the plane.
    """
    linear = affine[:, :2]
    (a, b), (c, d) = linear
    det = float(a * d - b * c)
    if not abs(det) > _TINY**2:
        msg = "The transform of the face cannot be inverted."
        raise DegenerateFace(msg)
    back = np.array([[d, -b], [-c, a]]) / det
    return np.hstack([back, -(back @ affine[:, 2])[:, None]])


def compose(outer: Affine, inner: Affine) -> Affine:
    """``a_from_c`` of ``a_from_b`` and ``b_from_c``: first ``inner``, then ``outer``."""
    product = outer[:, :2] @ inner
    product[:, 2] += outer[:, 2]
    return product


def apply(affine: Affine, points: Points) -> Points:
    """Take ``float64[N, 2]`` points through ``affine``."""
    moved: Points = points @ affine[:, :2].T + affine[:, 2]
    return moved


def crop_from_face(size_px: int) -> Affine:
    """``float64[2, 3]`` from face coordinates to the pixels of a square crop of ``size_px``."""
    return np.array([[size_px, 0.0, -0.5], [0.0, size_px, -0.5]])


def face_width_px(face_from_frame: Affine) -> float:
    """Side of the face square in pixels of the frame.

    Raises:
        DegenerateFace: the transform flattens the plane.
    """
    (a, b), (c, d) = face_from_frame[:, :2]
    area = abs(float(a * d - b * c))
    if not area > _TINY**2:
        msg = "The transform of the face cannot be inverted."
        raise DegenerateFace(msg)
    return 1.0 / math.sqrt(area)
