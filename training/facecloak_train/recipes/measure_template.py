"""Measure the face template: where FER2013 puts the landmarks of its faces.

    facecloak-train template --data runs/fer2013.npz

The classifiers learn from FER2013, so the live app aligns faces the way FER2013 crops them. This
runs the shipped face mesh over training faces and takes the median place of each landmark; its
output are the constants of ``facecloak.core.geometry``. Needs 20 s for 3000 faces on one core.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facecloak.core.geometry import KEYPOINT_MIRROR, TEMPLATE_MIRROR
from facecloak.core.types import Points
from facecloak.face.mediapipe_finder import DetectorModel, MeshModel
from facecloak_train.data.fer2013 import read_npz
from facecloak_train.measure.finding import enlarged, share_of_face


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What was measured, in face coordinates.

    Attributes:
        mesh: ``float64[M, 2]``, one row for each of ``TEMPLATE_INDICES``.
        mesh_faces: how many faces it is the median of.
        keypoints: ``float64[6, 2]``, the detector's keypoints.
        keypoint_faces: how many faces they are the median of.
    """

    mesh: Points
    mesh_faces: int
    keypoints: Points
    keypoint_faces: int


def measure_template(data: Path, count: int = 3000, seed: int = 0) -> Template:
    """Measure the template on ``count`` random training faces of FER2013.

    Args:
        data: what ``facecloak-train prepare fer2013`` wrote.
        count: how many faces to look at.
        seed: which faces.

    Raises:
        DatasetError: ``data`` is not a prepared FER2013.
        ArtifactError: a model file of MediaPipe is missing.
    """
    images = read_npz(data)["Training"].images
    chosen = np.random.default_rng(seed).choice(len(images), min(count, len(images)), replace=False)
    meshes: list[Points] = []
    keypoints: list[Points] = []
    with MeshModel(faces=1, video=False) as mesh, DetectorModel(far=False) as detector:
        for image in images[np.sort(chosen)]:
            picture = enlarged(image)
            meshes += mesh.landmarks(picture)
            keypoints += [points for points, _ in detector.keypoints(picture)[:1]]
    return Template(
        _centre(meshes, TEMPLATE_MIRROR),
        len(meshes),
        _centre(keypoints, KEYPOINT_MIRROR),
        len(keypoints),
    )


def _centre(faces: list[Points], mirror: tuple[int, ...]) -> Points:
    """The median face in face coordinates, made symmetric about x = 0.5."""
    middle = np.median(share_of_face(np.stack(faces)), axis=0)
    mirrored = middle[list(mirror)] * (-1.0, 1.0) + (1.0, 0.0)
    symmetric: Points = np.round((middle + mirrored) / 2, 4)
    return symmetric
