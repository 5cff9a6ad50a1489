"""Check a release of micro-expressions and write its faces, aligned, as clips.

    facecloak-train prepare casme2 --source CASME2 --out runs/casme2
    facecloak-train prepare smic --source SMIC --variant hs-e --out runs/smic-hs-e
    facecloak-train prepare casme-squared --source CASME_sq --variant videos --scheme stcnn
        --out runs/casme-squared-videos

Says what the release holds against what it should, and for every row or folder that is left out or
put right the reason; ``skipped.txt`` in the folder keeps these. Each clip is aligned as the live
app aligns faces, but once for all its frames; ``--crops`` takes the crops of the release instead,
which are stretched to a square. About a clip a second on one core.
"""

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak.core.errors import ConfigError, DegenerateFace
from facecloak.core.types import Affine, Image
from facecloak.verify.crop import face_crop
from facecloak_train import run
from facecloak_train.data.clips import (
    Clip,
    ClipSet,
    files_digest,
    is_current,
    read_clips,
    write_clips,
)
from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.data.releases import casme, casme2, casme_squared, schemes, smic
from facecloak_train.data.releases.release import Release, Sample, Skipped, check
from facecloak_train.measure.aligning import LOOKS, looks, steady_place
from facecloak_train.measure.finding import Finding
from facecloak_train.nets.clips import CLIP_PX
from facecloak_train.settings import PrepareClipsSettings

logger = logging.getLogger(__name__)

_VERSION = 1
"""Of how clips are cut and aligned; those of another version are made again."""

Crop = NDArray[np.uint8]


def prepare_clips(dataset: str, settings: PrepareClipsSettings) -> ClipSet:
    """Read, check, report, align, write; return what was written, or was there already.

    Args:
        dataset: casme, casme2, casme-squared or smic.
        settings: see there.

    Raises:
        ConfigError: a variant or a class scheme does not exist, or not for this dataset.
        DatasetError: this is no such release, or none of its clips can be used.
        ArtifactError: a model file of MediaPipe is missing.
    """
    classes = schemes.classes_of(settings.scheme, dataset)
    release = _read(dataset, settings)
    for line in check(release):
        logger.info("%s", line)
    for one in release.skipped:
        logger.info("skipped: %s: %s", one.what, one.reason)
    labelled = _labelled(release, settings)
    identity = {
        "classes": list(classes),
        "dataset": dataset,
        "variant": release.variant,
        "scheme": settings.scheme,
        "labels": [label for _, label in labelled],
        "version": _VERSION,
        "files": files_digest(_files(release), settings.source),
    }
    if is_current(settings.out, identity):
        logger.info("%s holds these clips already", settings.out)
        return read_clips(settings.out)
    started = time.monotonic()
    skipped = list(release.skipped)
    with contextlib.ExitStack() as opened:
        finding = None if settings.crops else opened.enter_context(Finding())
        write_clips(settings.out, identity, _clips(labelled, finding, skipped))
    seconds = time.monotonic() - started
    lines = "".join(f"{one.what}: {one.reason}\n" for one in skipped)
    run.write_atomically(settings.out / "skipped.txt", lines.encode())
    made = read_clips(settings.out)
    for index, name in enumerate(made.classes):
        logger.info("class %s: %d clips", name, int((made.labels == index).sum()))
    logger.info("wrote %s: %d clips, %.2f a second", settings.out, len(made), len(made) / seconds)
    return made


def _read(dataset: str, settings: PrepareClipsSettings) -> Release:
    source, variant, crops = settings.source, settings.variant, settings.crops
    if dataset == "smic":
        return smic.read(source, variant=variant or smic.VARIANTS[0], crops=crops)
    if dataset == "casme-squared":
        variant = variant or casme_squared.VARIANTS[0]
        return casme_squared.read(source, variant=variant, crops=crops)
    if variant:
        msg = f"{dataset} has no variants."
        raise ConfigError(msg, "Leave out --variant.")
    return (
        casme.read(source, crops=crops) if dataset == "casme" else casme2.read(source, crops=crops)
    )


def _labelled(release: Release, settings: PrepareClipsSettings) -> list[tuple[Sample, int]]:
    """The samples that have a class, each with its index; says how many have none."""
    found: list[tuple[Sample, int]] = []
    dropped: Counter[str] = Counter()
    for sample in release.samples:
        label = schemes.label_of_sample(settings.scheme, sample)
        if label is not None:
            found.append((sample, label))
        elif schemes.label_of(settings.scheme, sample.dataset, sample.label) is not None:
            what = f"{sample.subject}/{sample.name}"
            logger.info("skipped: %s: is left out by %s", what, settings.scheme)
        else:
            dropped[sample.label] += 1
    for name, count in dropped.most_common():
        logger.info("%s: %d clips are in no class of %s", name, count, settings.scheme)
    if not found:
        msg = (
            f"{settings.source} has no clip with a class of {settings.scheme}; look above at what "
            "was skipped, or choose another --variant or --scheme"
        )
        raise DatasetError(msg)
    return found


def _files(release: Release) -> Iterator[Path]:
    yield from release.sheets
    for sample in release.samples:
        yield from sample.frames


def _clips(
    labelled: list[tuple[Sample, int]], finding: Finding | None, skipped: list[Skipped]
) -> Iterator[Clip]:
    """Make one clip after another; adds those that cannot be made to ``skipped``."""
    for sample, label in tqdm(labelled, desc="clips", unit="clip"):
        crops: list[Crop] = []
        times = []
        reason = ""
        try:
            for when, crop in _crops(sample, finding):
                crops.append(crop)
                times.append(when)
        except (DatasetError, DegenerateFace) as exc:
            reason = str(exc)
        if not reason and len(crops) < 2:
            reason = f"only {len(crops)} of its {len(sample.frames)} pictures can be read"
        if reason:
            skipped.append(Skipped(f"{sample.subject}/{sample.name}", reason))
            logger.info("skipped: %s/%s: %s", sample.subject, sample.name, reason)
            continue
        if len(crops) < len(sample.frames):
            what = f"{sample.subject}/{sample.name}, {len(sample.frames) - len(crops)} pictures"
            skipped.append(Skipped(what, "cannot be read; the clip is used without them"))
        yield Clip(np.stack(crops), np.array(times), label, sample.subject, sample.name)


def _crops(sample: Sample, finding: Finding | None) -> Iterator[tuple[float, Crop]]:
    """Times and crops of the pictures that can be read, one after another.

    Raises:
        DatasetError: no face is found, or the pictures are not all of one size.
        DegenerateFace: what is found is no face.
    """
    place = None if finding is None else _place(sample, finding)
    size: tuple[int, ...] | None = None
    for when, path in zip(sample.times_s, sample.frames, strict=True):
        image = _picture(path)
        if image is None:
            continue
        if place is not None and size not in (None, image.shape):
            msg = f"{path.name} is {image.shape[1]}x{image.shape[0]} pixels, unlike those before"
            raise DatasetError(msg)
        size = image.shape
        crop = _resized(image) if place is None else face_crop(image, place, CLIP_PX)
        yield float(when), crop


def _place(sample: Sample, finding: Finding) -> Affine:
    chosen = (_picture(sample.frames[index]) for index in looks(len(sample.frames)))
    place = steady_place(finding, (image for image in chosen if image is not None))
    if place is None:
        msg = f"no face is found in any of {LOOKS} of its pictures"
        raise DatasetError(msg)
    return place


def _picture(path: Path) -> Image | None:
    """``uint8[H, W, 3]``, BGR; None where the file is no picture."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if image is None else image.astype(np.uint8, copy=False)


def _resized(image: Image) -> Crop:
    """A crop of the release as grey square, whatever shape it has."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    larger = min(grey.shape) >= CLIP_PX
    how = cv2.INTER_AREA if larger else cv2.INTER_CUBIC
    return cv2.resize(grey, (CLIP_PX, CLIP_PX), interpolation=how).astype(np.uint8, copy=False)
