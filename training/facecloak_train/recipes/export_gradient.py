"""Export the gradient of a classifier, from which the live app fits perturbations to a face.

    facecloak-train export-gradient --data runs/fer2013.npz --weights models/resnet14.onnx
        --out models/gradients/resnet14.onnx --name ResNet14

The file is measured against torch on PrivateTest faces: the cosine between the two gradients of
each face, and the share of the faces in which both name the same class. The graph takes two faces
at a time.
"""

import dataclasses
import datetime as dt
import logging
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from facecloak.core.modelcard import GRADIENT, ModelCard
from facecloak.tailor.gradient import GradientModel
from facecloak_train import run
from facecloak_train.augment import centre_crop
from facecloak_train.data import fer2013
from facecloak_train.export.gradient_export import export_gradient as export
from facecloak_train.export.gradient_export import pulling
from facecloak_train.settings import ExportGradientSettings
from facecloak_train.teachers import architecture, classifier

logger = logging.getLogger(__name__)


def export_gradient(settings: ExportGradientSettings) -> None:
    """Export, measure, and write the file with the figures on its card.

    Raises:
        RunError: the weights cannot be read.
        ArtifactError: they are an ``.onnx`` without a card.
    """
    splits = fer2013.read_npz(settings.data)
    training = torch.from_numpy(splits["Training"].images)[:, None]
    net = classifier(settings.weights, training, settings.input_px, settings.seed)
    card = ModelCard(
        name=settings.name,
        architecture=architecture(settings.weights),
        task=GRADIENT,
        labels=fer2013.LABELS,
        input_px=settings.input_px,
        dataset="FER2013",
        precision=settings.precision,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        command=run.command(),
    )
    private = torch.from_numpy(splits["PrivateTest"].images)[: settings.faces // 2 * 2, None]
    crops = centre_crop(private, settings.input_px).float() / 255.0
    with torch.no_grad():
        own = torch.eye(len(fer2013.LABELS))[net(crops).argmax(1)]
    logits, gradients = pulling(net)(crops, own, 1.0 - own)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / settings.out.name
        export(net, card, draft)
        measured = _measured(GradientModel(draft, "cpu"), crops, own, logits, gradients)
    for name, value in measured.items():
        logger.info("%s: %.5f", name, value)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    export(net, dataclasses.replace(card, measured=measured), settings.out)
    logger.info("wrote %s, %.1f MB", settings.out, settings.out.stat().st_size / 1e6)


def _measured(
    model: GradientModel, crops: Tensor, own: Tensor, logits: Tensor, gradients: Tensor
) -> dict[str, float]:
    """How far the exported file agrees with torch, two faces at a time."""
    pairs = [
        model.pull(faces.numpy()[:, 0], labels.argmax(1).numpy())
        for faces, labels in zip(torch.split(crops, 2), torch.split(own, 2), strict=True)
    ]
    said, pulled = (torch.from_numpy(np.concatenate(part)) for part in zip(*pairs, strict=True))
    alike = cosine_similarity(pulled.flatten(1), gradients[:, 0].flatten(1))
    pulls = gradients.flatten(1).norm(dim=1) > 0
    return {
        "agreement_with_torch": float((said.argmax(1) == logits.argmax(1)).float().mean()),
        "gradient_cosine_mean": float(alike[pulls].mean()),
        "gradient_cosine_least": float(alike[pulls].min()),
    }
