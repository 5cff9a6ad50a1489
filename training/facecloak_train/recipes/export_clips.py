"""Export a trained classifier of clips and measure the exported file itself.

    facecloak-train export-clips --data runs/synthetic-test --weights runs/stcnn-all/all.safetensors
        --out models/stcnn.onnx --name STCNN

The card holds accuracy, UF1 and UAR on clips of people that it never saw, the share of them on
which the file and torch name the same class, and the largest difference of a logit.
"""

import dataclasses
import datetime as dt
import logging
import tempfile
from pathlib import Path

import numpy as np

from facecloak.core.modelcard import ModelCard
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run
from facecloak_train.clip_training import clip_logits, load, load_classifier
from facecloak_train.data import clips
from facecloak_train.export.onnx_export import export
from facecloak_train.measure.clips import reading
from facecloak_train.nets.clips import CLIP_FPS, CLIP_PX
from facecloak_train.settings import ExportClipsSettings

logger = logging.getLogger(__name__)


def export_clips(settings: ExportClipsSettings) -> None:
    """Export, measure, and write the file with the figures on its card."""
    trained = load_classifier(settings.weights)
    net, classes = trained.net, trained.classes
    unseen = load(clips.read_clips(settings.data), trained.frames)
    if unseen.classes != classes:
        msg = f"{settings.data} has the classes {unseen.classes}, the classifier {classes}"
        raise run.RunError(msg)
    card = ModelCard(
        name=settings.name,
        architecture=trained.name,
        labels=classes,
        input_px=CLIP_PX,
        dataset=settings.trained_on,
        precision=settings.precision,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        command=run.command(),
        task="micro-expression",
        input_layout="NTHW",
        frames=trained.frames,
        fps=CLIP_FPS,
    )
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / settings.out.name
        export(net, card, draft)
        judge = OnnxClassifier(draft, "cpu")
        parts = np.array_split(unseen.frames.numpy(), max(1, len(unseen) // 16))
        shipped = np.concatenate([judge.logits(part) for part in parts])
    exact = clip_logits(net, unseen.frames).numpy()
    said, truth = shipped.argmax(1), unseen.labels.numpy()
    figures = reading(truth, said, unseen.subjects, len(classes))
    measured = {
        "unseen_accuracy": figures.accuracy,
        "unseen_uf1": figures.uf1,
        "unseen_uar": figures.uar,
        "agreement_with_torch": float((said == exact.argmax(1)).mean()),
        "largest_logit_difference": float(np.abs(shipped - exact).max()),
    }
    for name, value in measured.items():
        logger.info("%s: %.5f", name, value)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    export(net, dataclasses.replace(card, measured=measured), settings.out)
    logger.info("wrote %s, %.1f MB", settings.out, settings.out.stat().st_size / 1e6)
