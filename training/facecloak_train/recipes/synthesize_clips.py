"""Make the synthetic stand-in for micro-expression sets.

    facecloak-train synthesize --data runs/fer2013.npz --out runs/synthetic

The four official sets may not be redistributed, so the chain is shown, and the live judges are
trained, on this: neutral training faces of FER2013, aligned as the live app aligns them, whose skin
is moved by action units. No person moved so; figures on it say nothing of figures on real ones.
"""

import logging
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak.core import geometry
from facecloak.face.mediapipe_finder import MeshModel
from facecloak_train import run
from facecloak_train.data import clips, fer2013
from facecloak_train.data.synthetic.rendering import FRAMES, Amounts, Still, render
from facecloak_train.data.synthetic.scripts import EMOTIONS, SCHEMES
from facecloak_train.measure.finding import enlarged
from facecloak_train.nets.clips import CLIP_FPS, CLIP_PX
from facecloak_train.settings import SynthesizeSettings

logger = logging.getLogger(__name__)

VERSION = 1
"""Of what a clip looks like; a new one makes every set anew."""
_MESH = range(468)


def synthesize_clips(settings: SynthesizeSettings) -> clips.ClipSet:
    """Make the set, or take the one that is there, and return it.

    Raises:
        DatasetError: the faces cannot be read or are too few, or there is no such scheme.
    """
    if settings.classes not in SCHEMES:
        msg = f"there is no scheme of {settings.classes} classes; there are 3 and 5"
        raise fer2013.DatasetError(msg)
    identity = {
        "dataset": "synthetic",
        "version": VERSION,
        "data_sha256": run.digest_of(settings.data),
        "subjects": settings.subjects,
        "clips": settings.clips,
        "classes": tuple(SCHEMES[settings.classes]),
        "split": settings.split,
        "seed": settings.seed,
    }
    if clips.is_current(settings.out, identity):
        logger.info("%s is this very set already", settings.out)
        return clips.read_clips(settings.out)
    splits = fer2013.read_npz(settings.data)
    if settings.split not in splits:
        msg = f"there is no split {settings.split!r}; there are {', '.join(splits)}"
        raise fer2013.DatasetError(msg)
    faces = splits[settings.split]
    neutral = faces.images[faces.labels == fer2013.LABELS.index("neutral")]
    stills = _stills(neutral, settings)
    made = tqdm(_clips(stills, settings), total=settings.subjects * settings.clips, unit="clip")
    clips.write_clips(settings.out, identity, made)
    rate = made.format_dict["rate"] or made.n / max(made.format_dict["elapsed"], 1e-9)
    logger.info("%d clips of %d people, %.0f a second", made.n, len(stills), rate)
    return clips.read_clips(settings.out)


def _stills(images: NDArray[np.uint8], settings: SynthesizeSettings) -> list[Still]:
    """Random faces in which the mesh finds one, no picture twice."""
    order = np.random.default_rng(settings.seed).permutation(len(images))
    found: dict[bytes, Still] = {}
    with MeshModel(faces=1, video=False, indices=_MESH) as mesh:
        for number in order:
            picture = enlarged(images[number])
            seen = mesh.landmarks(picture)
            if seen:
                found.setdefault(images[number].tobytes(), _still(picture, seen[0]))
            if len(found) == settings.subjects:
                return list(found.values())
    msg = f"{settings.data.name} has {len(found)} neutral faces that MediaPipe finds, and "
    raise fer2013.DatasetError(msg + f"{settings.subjects} people are asked for")


def _still(picture: NDArray[np.uint8], points: NDArray[np.float64]) -> Still:
    """The face as the live app would crop it."""
    aligned = geometry.similarity(
        points[list(geometry.TEMPLATE_INDICES)], CLIP_PX * geometry.TEMPLATE_POINTS - 0.5
    )
    image = cv2.warpAffine(
        picture[..., 0].astype(np.float32),
        aligned,
        (CLIP_PX, CLIP_PX),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Still(image=image.astype(np.float32), points=geometry.apply(aligned, points))


def _clips(stills: list[Still], settings: SynthesizeSettings) -> Iterator[clips.Clip]:
    """As many of each class from everybody as the number of clips allows."""
    scheme = tuple(SCHEMES[settings.classes].values())
    for person, still in enumerate(stills):
        rng = np.random.default_rng([settings.seed, person])
        for number in range(settings.clips):
            label = number % len(scheme)
            emotion = scheme[label][rng.integers(len(scheme[label]))]
            units = EMOTIONS[emotion][rng.integers(len(EMOTIONS[emotion]))]
            shown = "+".join(map(str, units))
            yield clips.Clip(
                render(still, units, Amounts(), rng),
                np.arange(FRAMES) / CLIP_FPS,
                label,
                f"{person:03d}",
                f"{person:03d}-{number:03d}-{emotion}-{shown}",
            )
