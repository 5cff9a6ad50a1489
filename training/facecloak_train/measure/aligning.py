"""One place of the face for a whole clip.

A micro-expression moves the face by a pixel or so, about as much as landmarks jitter from frame to
frame. So a clip is aligned once: by the median, over some of its frames, of where the shipped
finder sees the face.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core import geometry
from facecloak.core.types import Affine, Face, Image, Sighting
from facecloak_train.measure.finding import Finding

LOOKS: Final = 7
"""Frames of a clip, evenly spread, in which a face is looked for."""


def looks(length: int) -> NDArray[np.int64]:
    """Which frames of a clip to look at: ``int64[<= LOOKS]``, first and last among them."""
    spread: NDArray[np.int64] = np.unique(np.linspace(0, length - 1, LOOKS).round()).astype(
        np.int64
    )
    return spread


def steady_place(finding: Finding, images: Iterable[Image]) -> Affine | None:
    """Where the face is in pictures of one clip: ``face_from_frame``, or None where none is seen.

    Of several faces the widest counts. Places by the dense landmarks go before those by the
    detector's six points, and predicted ones are none.

    Raises:
        DegenerateFace: the median is no face.
    """
    seen = [widest for image in images if (widest := _widest(finding.faces(image))) is not None]
    dense = [face for face in seen if face.sighting is Sighting.MESH]
    return median_place(dense or seen) if seen else None


def median_place(faces: Sequence[Face]) -> Affine:
    """``face_from_frame`` of the median of where some faces have the points of the template.

    Raises:
        DegenerateFace: the median is no face.
    """
    frame_from_faces = [geometry.invert(face.face_from_frame) for face in faces]
    points = [geometry.apply(one, geometry.TEMPLATE_POINTS) for one in frame_from_faces]
    return geometry.similarity(np.median(points, axis=0), geometry.TEMPLATE_POINTS)


def _widest(faces: Iterable[Face]) -> Face | None:
    seen = [face for face in faces if face.sighting is not Sighting.PREDICTED]
    return max(seen, key=lambda face: geometry.face_width_px(face.face_from_frame), default=None)
