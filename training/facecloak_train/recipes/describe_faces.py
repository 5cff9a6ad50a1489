"""Describe every face of FER2013 by 68 landmarks and sliding HOG, for cnn-landmarks-hog.

    facecloak-train describe --data runs/fer2013.npz --out runs/fer2013-features.npz

Landmarks are those of MediaPipe's mesh on the enlarged face, as shares of the face's side; a face
in which it finds none gets the mean face of the training set. A quarter of an hour on one core;
the file has 400 MB.
"""

import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak.core.types import Points
from facecloak.face.mediapipe_finder import MeshModel
from facecloak_train.data import features, fer2013
from facecloak_train.data.landmarks import IBUG_68, IBUG_68_MIRROR
from facecloak_train.measure.finding import enlarged, share_of_face
from facecloak_train.settings import DescribeSettings

logger = logging.getLogger(__name__)


def describe_faces(settings: DescribeSettings) -> dict[str, int]:
    """Describe, write, and return of how many faces of each split the mesh found none."""
    splits = fer2013.read_npz(settings.data)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    with MeshModel(faces=1, video=False, indices=IBUG_68) as mesh:
        seen = {
            split: [
                _landmarks(mesh, image) for image in tqdm(faces.images, unit="face", desc=split)
            ]
            for split, faces in splits.items()
        }
    found = [points for points in seen["Training"] if points is not None]
    if not found:
        msg = f"{settings.data.name}: MediaPipe finds no landmarks in any training face"
        raise fer2013.DatasetError(msg)
    average = np.mean(found, axis=0)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        described = {
            split: np.stack(
                [
                    _together(average if points is None else points, *gradients)
                    for points, gradients in zip(
                        seen[split],
                        tqdm(
                            workers.map(_gradients, faces.images, chunksize=64),
                            total=len(faces),
                            unit="face",
                            desc=f"{split}, HOG",
                        ),
                        strict=True,
                    )
                ]
            )
            for split, faces in splits.items()
        }
    features.write(settings.out, described, settings.data)
    missing = {split: sum(p is None for p in points) for split, points in seen.items()}
    for split, count in missing.items():
        logger.info("%s: no landmarks in %d of %d faces", split, count, len(splits[split]))
    return missing


def _landmarks(mesh: MeshModel, image: NDArray[np.uint8]) -> Points | None:
    found = mesh.landmarks(enlarged(image))
    return share_of_face(found[0]) if found else None


def _gradients(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return features.sliding_hog(image), features.sliding_hog(cv2.flip(image, 1).astype(np.uint8))


def _together(
    points: Points, plain: NDArray[np.float32], mirrored: NDArray[np.float32]
) -> NDArray[np.float16]:
    """``float16[2, 2728]``: the features of a face and of its mirror image."""
    flipped = points[list(IBUG_68_MIRROR)] * (-1.0, 1.0) + (1.0, 0.0)
    rows = [
        np.concatenate([points.ravel(), plain]),
        np.concatenate([flipped.ravel(), mirrored]),
    ]
    together: NDArray[np.float16] = np.stack(rows).astype(np.float16)
    return together
