"""Score a classifier on FER2013, as it is published and as it is honest.

    facecloak-train score --data runs/fer2013.npz --weights models/vgg19.onnx
        --ferplus fer2013new.csv --out docs/results/fer2013/vgg19/score.json

The published protocol takes PublicTest and PrivateTest as they are, with ten crops. But faces of
PrivateTest repeat faces of other splits and one another, so it is scored without these, too, and on
what is left by the majority of FER+ (the faces for which the crowd has a majority among the seven
classes). Where the ``run.json`` of a training lies beside the weights, its command goes into the
report. Five minutes for VGG19 on one core.
"""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from facecloak_train import nets, run
from facecloak_train.data import features, fer2013, ferplus
from facecloak_train.measure.accuracy import (
    CROWD,
    PRIVATE,
    PUBLIC,
    SOLE,
    calibration_error,
    confusion_matrix,
    reliability_bins,
    ten_crop_logits,
    unweighted_recall,
)
from facecloak_train.measure.fooling import wilson
from facecloak_train.measure.pictures import confusion, reliability
from facecloak_train.precision import best_device
from facecloak_train.settings import ScoreSettings
from facecloak_train.teachers import architecture, check_size, load_weights

logger = logging.getLogger(__name__)


def score_classifier(settings: ScoreSettings) -> dict[str, Any]:
    """Score, write the report and the pictures, return the report.

    Raises:
        RunError: the weights cannot be read, or were trained on another size.
        DatasetError: the votes are not those of the set, or stand in another order.
    """
    splits = features.splits_of(settings.data, settings.features)
    name = architecture(settings.weights)
    check_size(settings.weights, settings.input_px)
    device = best_device()
    net = nets.build(name, len(fer2013.LABELS), features=settings.features is not None)
    net = nets.channels_last(net).to(device)
    training = torch.from_numpy(splits["Training"].images)[:, None]
    load_weights(net, settings.weights, training, settings.input_px, settings.seed)

    logits = {
        split: ten_crop_logits(net, splits[split], settings.input_px, device)
        for split in (PUBLIC, PRIVATE)
    }
    truth = splits[PRIVATE].labels
    kept = fer2013.sole(splits[PRIVATE], splits["Training"], splits[PUBLIC])
    rows = {
        PUBLIC: _row(logits[PUBLIC], splits[PUBLIC].labels),
        PRIVATE: _row(logits[PRIVATE], truth),
        SOLE: _row(logits[PRIVATE][kept], truth[kept]),
    }
    if settings.ferplus is not None:
        counts = {split: len(faces) for split, faces in splits.items()}
        crowd = ferplus.majorities(settings.ferplus, counts)[PRIVATE]
        ferplus.check_order(settings.ferplus, crowd, truth)
        agreed = kept & (crowd >= 0)
        rows[CROWD] = _row(logits[PRIVATE][agreed], crowd[agreed])
        rows[CROWD]["labels_agree"] = float((crowd[agreed] == truth[agreed]).mean())

    said = logits[PRIVATE][kept].argmax(axis=1)
    counts_of = confusion_matrix(truth[kept], said, len(fer2013.LABELS))
    bins = reliability_bins(logits[PRIVATE][kept], truth[kept])
    report = {
        "command": run.command(),
        **_trained(settings.weights),
        "net": name,
        "weights_sha256": run.digest_of(settings.weights),
        "rows": rows,
        "confusion": counts_of.tolist(),
        "reliability": bins,
        "calibration_error": calibration_error(bins),
    }
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, json.dumps(report, indent=2).encode())
    title = f"{name}, {SOLE}"
    confusion(settings.out.with_name("confusion.png"), counts_of, fer2013.LABELS, title)
    reliability(settings.out.with_name("reliability.png"), bins, title)
    for faces, row in rows.items():
        logger.info("%s: %.2f %% of %d", faces, 100 * row["accuracy"], row["faces"])
    return report


def _trained(weights: Path) -> dict[str, str]:
    """``fit_command``, where the folder of the weights tells it; a broken ``run.json`` is told."""
    path = weights.with_name("run.json")
    if not path.is_file():
        return {}
    try:
        return {"fit_command": str(json.loads(path.read_bytes())["command"])}
    except (OSError, ValueError, LookupError, TypeError):
        logger.warning("%s tells no command; the report does not say how the weights came", path)
        return {}


def _row(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> dict[str, float]:
    said = logits.argmax(axis=1)
    accuracy = float((said == truth).mean())
    low, high = wilson(accuracy, len(truth))
    recall = unweighted_recall(confusion_matrix(truth, said, logits.shape[1]))
    return {
        "faces": len(truth),
        "accuracy": accuracy,
        "low": low,
        "high": high,
        "unweighted_recall": recall,
    }
