"""Follows a face from one picture to the next by sparse optical flow."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core import geometry
from facecloak.core.types import Affine

Grey = NDArray[np.uint8]
"""``uint8[H, W]``."""

_GRID: Final = 5
_REACH: Final = 0.75
"""How far from the middle of the face it looks, in face widths."""
_WINDOW_PX: Final = (15, 15)
_LEVELS: Final = 2
_RETURN_PX: Final = 1.0
_RANSAC_PX: Final = 2.0
_MIN_POINTS: Final = 12
_MIN_AGREEING: Final = 0.4
_MAX_ZOOM: Final = 1.3


def follow(before: Grey, now: Grey, face_from_before: Affine) -> Affine | None:
    """Where the face of ``before`` is in ``now``.

    A grid of points in the face goes through pyramidal Lucas-Kanade forth and back; those that
    return to where they started fit a similarity by RANSAC.

    Args:
        before: the picture in which the place is known.
        now: the next picture, of the same size.
        face_from_before: ``float64[2, 3]``, pixels of ``before`` to face coordinates.

    Returns:
        ``face_from_now``, or None when the points do not agree on one motion.
    """
    if before.shape != now.shape:
        return None
    left, top, right, bottom = _around(face_from_before, before.shape)
    before, now = (picture[top:bottom, left:right] for picture in (before, now))
    cut = np.array([[1.0, 0.0, left], [0.0, 1.0, top]])
    moved = _follow(before, now, geometry.compose(face_from_before, cut))
    return None if moved is None else geometry.compose(moved, geometry.invert(cut))


def _around(face_from_frame: Affine, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of the picture to look at: left, top, right and bottom (exclusive)."""
    middle = geometry.apply(geometry.invert(face_from_frame), np.array([[0.5, 0.5]]))[0]
    reach = _REACH * geometry.face_width_px(face_from_frame)
    low = np.clip(np.floor(middle - reach), 0, (shape[1], shape[0])).astype(int)
    high = np.clip(np.ceil(middle + reach), 0, (shape[1], shape[0])).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _follow(before: Grey, now: Grey, face_from_before: Affine) -> Affine | None:
    start = _grid(face_from_before, before.shape)
    if len(start) < _MIN_POINTS:
        return None
    end, forth = _track(before, now, start)
    back, again = _track(now, before, end)
    kept = forth & again & (np.linalg.norm(back - start, axis=1) < _RETURN_PX)
    if kept.sum() < max(_MIN_POINTS, _MIN_AGREEING * len(start)):
        return None
    return _fit(start[kept], end[kept], face_from_before)


def _track(
    before: Grey, now: Grey, start: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where the points went, and whether Lucas-Kanade believes it."""
    end, status, _ = cv2.calcOpticalFlowPyrLK(
        before, now, start, np.empty_like(start), winSize=_WINDOW_PX, maxLevel=_LEVELS
    )
    return end.astype(np.float32, copy=False), status[:, 0] == 1


def _grid(face_from_frame: Affine, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Points in the inner face that lie within the picture, ``float32[N, 2]``."""
    steps = np.linspace(0.15, 0.85, _GRID)
    face = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    points = geometry.apply(geometry.invert(face_from_frame), face)
    inside = ((points >= 0) & (points < (shape[1], shape[0]))).all(axis=1)
    chosen: NDArray[np.float32] = points[inside].astype(np.float32)
    return chosen


def _fit(
    start: NDArray[np.float32], end: NDArray[np.float32], face_from_before: Affine
) -> Affine | None:
    motion, agreeing = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC_PX
    )
    if motion is None or agreeing.mean() < _MIN_AGREEING:
        return None
    zoom = float(np.hypot(motion[0, 0], motion[1, 0]))
    if not 1 / _MAX_ZOOM < zoom < _MAX_ZOOM:
        return None
    return geometry.compose(face_from_before, geometry.invert(motion.astype(np.float64)))
