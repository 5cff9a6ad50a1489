"""Export a trained classifier and measure the exported file itself.

    facecloak-train export --data runs/fer2013.npz --weights runs/vgg19/best.safetensors
        --out models/vgg19.onnx

The card holds the ten-crop accuracies of the weights, and of the file as the live app runs it (one
centre crop): its accuracy, the share of PrivateTest faces on which it and torch name the same
class, and the largest difference of a logit. Two cores take about five minutes.
"""

import dataclasses
import datetime as dt
import logging
import tempfile
from pathlib import Path

import numpy as np
import torch

from facecloak.core.modelcard import ModelCard
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import nets, run
from facecloak_train.data import fer2013
from facecloak_train.export.onnx_export import CentreCrop, export
from facecloak_train.measure.accuracy import ten_crop_accuracy
from facecloak_train.settings import ExportSettings
from facecloak_train.teachers import architecture

logger = logging.getLogger(__name__)


def export_onnx(settings: ExportSettings) -> None:
    """Export, measure, and write the file with the figures on its card.

    Raises:
        RunError: the weights are no ``best.safetensors``.
        ValueError: the network needs features of the faces, too.
    """
    name = architecture(settings.weights)
    tensors, state = run.load_checkpoint(settings.weights)
    net = nets.build(name, len(fer2013.LABELS)).eval()
    net.load_state_dict(tensors)
    net_px = int(state["input_px"])
    live = CentreCrop(net, net_px).eval()
    splits = fer2013.read_npz(settings.data)
    private = splits["PrivateTest"]

    card = ModelCard(
        name=settings.name,
        architecture=name,
        labels=fer2013.LABELS,
        input_px=fer2013.FACE_PX,
        dataset="FER2013",
        precision=settings.precision,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        command=run.command(),
    )
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / settings.out.name
        export(live, card, draft)
        judge = OnnxClassifier(draft, "cpu")
        shipped = np.concatenate(
            [judge.logits(part) for part in np.array_split(private.images, 60)]
        )
    with torch.no_grad():
        faces = torch.from_numpy(private.images)[:, None].float() / 255.0
        exact = torch.cat([live(part) for part in torch.split(faces, 64)]).numpy()
    device = torch.device("cpu")
    measured = {
        "public_ten_crop": ten_crop_accuracy(net, splits["PublicTest"], net_px, device),
        "private_ten_crop": ten_crop_accuracy(net, private, net_px, device),
        "private_live": float((shipped.argmax(1) == private.labels).mean()),
        "agreement_with_torch": float((shipped.argmax(1) == exact.argmax(1)).mean()),
        "largest_logit_difference": float(np.abs(shipped - exact).max()),
    }
    for name, value in measured.items():
        logger.info("%s: %.5f", name, value)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    export(live, dataclasses.replace(card, measured=measured), settings.out)
    logger.info("wrote %s, %.1f MB", settings.out, settings.out.stat().st_size / 1e6)
