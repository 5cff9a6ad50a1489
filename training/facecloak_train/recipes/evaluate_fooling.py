"""Measure a perturbation on faces that the attack never saw, as the far end would see them.

    facecloak-train evaluate --data runs/fer2013.npz --model models/vgg19.onnx
        --perturbation perturbations/default.safetensors --out docs/results/vgg19.json

Every PrivateTest face becomes a frame: enlarged, on a canvas that repeats its border. The shipped
finder looks for it, the shipped compositor cloaks it and rounds to 8 bits, the shipped judge reads
it before and after. A face that the finder does not see is counted, not judged: live, it would be
shielded. Faces that also stand in another split are left out. Beside the perturbation stand random
sign noise and a chessboard of the same budget, on the same grid and on coarser ones. Two cores
take about ten minutes.
"""

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import bank as banks
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, FORMAT, Perturbation
from facecloak.core.types import Face, Frame
from facecloak.verify.criteria import Logits
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.visibility import psnr, ssim
from facecloak_train import run
from facecloak_train.attacks.baselines import chessboard, random_sign
from facecloak_train.data import fer2013
from facecloak_train.measure.choosing import Chooser
from facecloak_train.measure.finding import Finding
from facecloak_train.measure.fooling import fooling
from facecloak_train.measure.report import markdown
from facecloak_train.settings import EvaluateSettings

logger = logging.getLogger(__name__)

_COARSE, _MIDDLE = 12, 24
"""Sides of the grids of further baselines."""
_VISIBLE_EVERY = 10
"""PSNR and SSIM are means over every tenth face; they hardly differ from face to face."""

Crop = NDArray[np.uint8]


def evaluate_fooling(settings: EvaluateSettings) -> dict[str, Any]:
    """Measure, write the report, return it."""
    splits = fer2013.read_npz(settings.data)
    private = fer2013.without(splits["PrivateTest"], splits["Training"], splits["PublicTest"])
    shipped = banks.load(settings.perturbation)
    chooser = Chooser(shipped)
    judge = OnnxClassifier(settings.model, "cpu")
    patterns = {"FaceCloak": shipped} | _baselines(shipped)
    named = {
        f"{name} x{strength:g}": (pattern, strength)
        for strength in settings.strengths
        for name, pattern in patterns.items()
    }
    cloaks = {name: OpenCvCloak(*made) for name, made in named.items()}
    shifts = {name: pattern.header.shift * strength for name, (pattern, strength) in named.items()}

    clean: list[Crop] = []
    cloaked: dict[str, list[Crop]] = {name: [] for name in cloaks}
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in cloaks}
    truth: list[int] = []
    for number, (frame, face) in enumerate(_frames(private, settings)):
        if face is None:
            continue
        truth.append(int(private.labels[number]))
        clean.append(face_crop(frame.image, face.face_from_frame, judge.card.input_px))
        for name, cloak in cloaks.items():
            chooser.tell(cloak, frame, face)
            out = cloak.apply(frame, [face])
            cloaked[name].append(face_crop(out.image, face.face_from_frame, judge.card.input_px))
            if number % _VISIBLE_EVERY == 0:
                left, top, right, bottom = face_box(face.face_from_frame, *frame.image.shape[1::-1])
                moved = cloak.displaced(frame, [face])
                pair = moved.image[top:bottom, left:right], out.image[top:bottom, left:right]
                seen[name].append((psnr(*pair), ssim(*pair)))

    before = _logits(judge, clean)
    rows: dict[str, dict[str, float]] = {}
    for name, cloak in cloaks.items():
        figures = fooling(before, _logits(judge, cloaked[name]), np.array(truth))
        visible = np.mean(seen[name], axis=0)
        rows[name] = dataclasses.asdict(figures) | {
            "budget_levels": cloak.budget,
            "shift": shifts[name],
            "psnr_db": float(visible[0]),
            "ssim": float(visible[1]),
        }
    if settings.record:
        measured = rows[f"FaceCloak x{settings.strengths[0]:g}"]
        header = dataclasses.replace(shipped.header, measured=measured)
        shipped.with_header(header).save(settings.perturbation)
    report = {
        "command": " ".join(["facecloak-train", *sys.argv[1:]]),
        "classifier": judge.card.name,
        "classifier_sha256": judge.card.sha256,
        "perturbation_sha256": run.digest_of(settings.perturbation),
        "left_out": len(splits["PrivateTest"]) - len(private),
        "faces": min(settings.faces, len(private)),
        "found": len(truth),
        "rows": rows,
    }
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, json.dumps(report, indent=2).encode())
    run.write_atomically(settings.out.with_suffix(".md"), markdown(report).encode())
    logger.info("%s", markdown(report))
    return report


def _baselines(shipped: Bank) -> dict[str, Bank]:
    """Patterns of the same budget that know no classifier, on our grid and on coarser ones."""
    eps, seed = shipped.header.eps, shipped.header.seed
    header = dataclasses.replace(
        shipped.header, shift=0.0, strain=0.0, format=FORMAT, answers=(), selector=""
    )
    return {
        f"{name}, {cells} cells": Bank.of(Perturbation(header, grid))
        for cells in sorted({_COARSE, _MIDDLE, len(shipped.member(ANY).static)})
        for name, grid in (
            ("random sign", random_sign(cells, eps, seed)),
            ("chessboard", chessboard(cells, eps)),
        )
    }


def _frames(
    private: fer2013.Faces, settings: EvaluateSettings
) -> Iterator[tuple[Frame, Face | None]]:
    """Each face as a frame of its own, with its place, or None where the finder sees no face."""
    margin = settings.face_px // 4
    with Finding() as finding:
        images = private.images[: settings.faces]
        for number, image in enumerate(tqdm(images, desc="faces", unit="face")):
            large = cv2.resize(image, (settings.face_px,) * 2, interpolation=cv2.INTER_CUBIC)
            canvas = cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
            picture = cv2.cvtColor(canvas, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
            yield Frame(picture, 0.0, number), finding.face(picture)


def _logits(judge: OnnxClassifier, crops: list[Crop]) -> Logits:
    parts = [np.stack(crops[i : i + 64]) for i in range(0, len(crops), 64)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # ONNX Runtime releases the interpreter
        return np.concatenate(list(pool.map(judge.logits, parts)))
