"""Measure a perturbation at the far end of a call: after the codec, by classifiers there.

    facecloak-train call --data runs/fer2013.npz --models models/vgg19.onnx models/resnet14.onnx
        --perturbation perturbations/default.safetensors --out docs/results/call.json

A PrivateTest face that stands in no other split becomes a short call: enlarged, in a 1280x720
picture that repeats its border, it moves a little from frame to frame. The shipped finder and
compositor protect it, an encoder at a constant bit rate sends it, and in the last picture that
arrives the finder looks for the face anew, as the far end would. A face that is not found in the
clean or in the protected picture is counted, not judged. Beside the perturbation stands random
sign noise of the same levels and grid. Two cores take about a minute for a hundred faces.
"""

import contextlib
import dataclasses
import json
import logging
import math
import sys
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import bank as banks
from facecloak.core import geometry
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, FORMAT, Perturbation
from facecloak.core.types import Face, Frame, Image
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run
from facecloak_train.attacks.baselines import random_sign
from facecloak_train.data import fer2013
from facecloak_train.measure.choosing import Chooser
from facecloak_train.measure.codec import LEGS, arrive
from facecloak_train.measure.finding import Finding
from facecloak_train.measure.fooling import Fooling, fooling
from facecloak_train.measure.report import call_markdown
from facecloak_train.settings import CallSettings

logger = logging.getLogger(__name__)

_SIZE: Final = (1280, 720)
_FACE_PX: Final = 320
_FRAMES: Final = 8
_SWAY_PX: Final = 3.0

Crop = NDArray[np.uint8]


def evaluate_call(settings: CallSettings) -> dict[str, Any]:
    """Measure, write the report, return it."""
    splits = fer2013.read_npz(settings.data)
    private = fer2013.without(splits["PrivateTest"], splits["Training"], splits["PublicTest"])
    chosen = np.random.default_rng(settings.seed).permutation(len(private))[: settings.faces]
    shipped = banks.load(settings.perturbation)
    chooser = Chooser(shipped)
    noise = _noise(shipped)
    cloaks = {
        "FaceCloak": OpenCvCloak(shipped, settings.strength),
        "random sign": OpenCvCloak(noise, settings.strength),
    }
    judges = [OnnxClassifier(path, "cpu") for path in settings.models]
    input_px = judges[0].card.input_px
    crops: dict[tuple[str, str], list[tuple[Crop, Crop, int]]] = {
        (leg.name, name): [] for leg in LEGS for name in cloaks
    }
    seen = 0
    with contextlib.ExitStack() as opened:
        # One for each size: a finder that meets another size looks everywhere.
        ends = {size: opened.enter_context(Finding()) for size in {leg.size for leg in LEGS}}
        for number in tqdm(chosen, desc="calls", unit="face"):
            calls = _calls(private.images[number], cloaks, chooser, ends[_SIZE])
            if calls is None:
                continue
            seen += 1
            label = int(private.labels[number])
            for leg in LEGS:
                clean, *cloaked = (
                    _crop(arrive(call, leg), ends[leg.size], input_px) for call in calls
                )
                for name, crop in zip(cloaks, cloaked, strict=True):
                    if clean is not None and crop is not None:
                        crops[leg.name, name].append((clean, crop, label))
    report = {
        "command": " ".join(["facecloak-train", *sys.argv[1:]]),
        "perturbation_sha256": run.digest_of(settings.perturbation),
        "victims": [victim.name for victim in shipped.header.victims],
        "strength": settings.strength,
        "budget_levels": cloaks["FaceCloak"].budget,
        "shift": shipped.header.shift * settings.strength,
        "faces": len(chosen),
        "found": seen,
        "rows": [
            {"classifier": judge.card.name, "leg": leg, "perturbation": name}
            | dataclasses.asdict(_judged(judge, cases))
            for judge in judges
            for (leg, name), cases in crops.items()
            if cases
        ],
    }
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, json.dumps(report, indent=2).encode())
    run.write_atomically(settings.out.with_suffix(".md"), call_markdown(report).encode())
    logger.info("%s", call_markdown(report))
    return report


def _noise(shipped: Bank) -> Bank:
    header = dataclasses.replace(
        shipped.header, shift=0.0, strain=0.0, format=FORMAT, answers=(), selector=""
    )
    cells = len(shipped.member(ANY).static)
    return Bank.of(Perturbation(header, random_sign(cells, header.eps, header.seed)))


def _judged(judge: OnnxClassifier, cases: Sequence[tuple[Crop, Crop, int]]) -> Fooling:
    clean, cloaked, labels = zip(*cases, strict=True)
    parts = math.ceil(len(cases) / 64)
    before, after = (
        np.concatenate([judge.logits(part) for part in np.array_split(np.stack(crops), parts)])
        for crops in (clean, cloaked)
    )
    return fooling(before, after, np.array(labels))


def _calls(
    image: NDArray[np.uint8], cloaks: dict[str, OpenCvCloak], chooser: Chooser, finding: Finding
) -> list[list[Image]] | None:
    """The pictures of a call as captured, and as each cloak sends them; None without a face."""
    large = cv2.resize(image, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_CUBIC)
    left, top = (_SIZE[0] - _FACE_PX) // 2, (_SIZE[1] - _FACE_PX) // 2
    grey = cv2.copyMakeBorder(large, top, top, left, left, cv2.BORDER_REPLICATE)
    still = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    face = finding.face(still)
    if face is None:
        return None
    for cloak in cloaks.values():
        chooser.tell(cloak, Frame(still, 0.0, 0), face)
    calls: list[list[Image]] = [[] for _ in range(1 + len(cloaks))]
    for index in range(_FRAMES):
        phase = 2.0 * math.pi * index / _FRAMES
        sway = np.array([[1.0, 0.0, _SWAY_PX * math.sin(phase)], [0.0, 1.0, 0.0]])
        moved = cv2.warpAffine(still, sway, _SIZE, borderMode=cv2.BORDER_REPLICATE)
        frame = Frame(moved.astype(np.uint8, copy=False), index / 30.0, index)
        place = Face(
            face.track, geometry.compose(face.face_from_frame, geometry.invert(sway)), face.sighting
        )
        calls[0].append(frame.image)
        for call, cloak in zip(calls[1:], cloaks.values(), strict=True):
            call.append(cloak.apply(frame, [place]).image)
    return calls


def _crop(picture: Image, finding: Finding, size_px: int) -> Crop | None:
    face = finding.face(picture)
    return None if face is None else face_crop(picture, face.face_from_frame, size_px)
