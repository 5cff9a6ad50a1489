"""Measure how a classifier stands attacks that are made for each face.

    facecloak-train robustness --data runs/fer2013.npz --weights models/vgg19.onnx
        --out docs/results/robustness-vgg19.json

Attacks random PrivateTest faces (those that stand in other splits left out) with FGSM, PGD and
DeepFool, and on request the first of them with AutoAttack's parts (APGD-CE, APGD-DLR and Square),
on the centre crop that the live app reads. The classifier is attacked in bf16, judged in fp32
(TF32 on a GPU, which is used where there is one). A Markdown table and a picture of the curve go
beside the report. A thousand faces of VGG19 take an hour of one core.
"""

import json
import logging
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from facecloak_train import nets, run
from facecloak_train.attacks.individual import against, deepfool, fgsm, pgd
from facecloak_train.attacks.reference import autoattack
from facecloak_train.augment import centre_crop
from facecloak_train.data import fer2013
from facecloak_train.hardening import LEVELS
from facecloak_train.measure.fooling import wilson
from facecloak_train.measure.pictures import curves
from facecloak_train.measure.report import robustness_markdown
from facecloak_train.precision import autocast, best_device
from facecloak_train.settings import RobustnessSettings
from facecloak_train.teachers import architecture, classifier

logger = logging.getLogger(__name__)

BATCH: Final = 64


def measure_robustness(settings: RobustnessSettings) -> dict[str, Any]:
    """Measure, write report, table and picture, return the report."""
    splits = fer2013.read_npz(settings.data)
    private = fer2013.without(splits["PrivateTest"], splits["Training"], splits["PublicTest"])
    chosen = np.random.default_rng(settings.seed).permutation(len(private))[: settings.faces]
    device = best_device()
    images = torch.from_numpy(private.images[np.sort(chosen)])[:, None].to(device).float() / LEVELS
    faces = centre_crop(images, settings.input_px)
    truth = torch.from_numpy(private.labels[np.sort(chosen)]).to(device)
    name = architecture(settings.weights)
    training = torch.from_numpy(splits["Training"].images)[:, None].to(device)
    net = classifier(settings.weights, training, settings.input_px, settings.seed)
    net = nets.channels_last(net)
    attacked = Attacked(net, faces, truth)

    rows = [attacked.row("none", 0.0, faces)]
    for eps in settings.eps:
        rows += [
            attacked.row("FGSM", eps, attacked.by_steps(eps, 0, settings.seed)),
            attacked.row(
                f"PGD-{settings.steps}", eps, attacked.by_steps(eps, settings.steps, settings.seed)
            ),
        ]
    nearest, levels = attacked.by_deepfool()
    median = float(levels.median())
    for eps in settings.eps:
        near = (levels <= eps)[:, None, None, None]
        rows.append(attacked.row("DeepFool", eps, torch.where(near, nearest, faces)))
    if settings.autoattack:
        # ART's estimators take arrays, and the network where they find it.
        some, true = faces[: settings.autoattack].cpu(), truth[: settings.autoattack].cpu()
        found = autoattack(net.cpu(), some, true, settings.autoattack_eps / LEVELS)
        part = Attacked(net, some, true)
        rows += [
            part.row("none, AutoAttack's faces", 0.0, some),
            part.row("AutoAttack's parts", settings.autoattack_eps, found),
        ]
    report = {
        "command": run.command(),
        "weights_sha256": run.digest_of(settings.weights),
        "net": name,
        "faces": len(faces),
        "deepfool_median_levels": median if math.isfinite(median) else None,
        "rows": rows,
    }
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, json.dumps(report, indent=2).encode())
    text = robustness_markdown(report)
    run.write_atomically(settings.out.with_suffix(".md"), text.encode())
    curves(
        settings.out.with_suffix(".png"),
        {
            attack: [(row["eps"], 100 * row["accuracy"]) for row in rows if row["attack"] == attack]
            for attack in ("FGSM", f"PGD-{settings.steps}", "DeepFool")
        },
        start=(0.0, 100 * rows[0]["accuracy"]),
        labels=("largest change, levels of 255", "accuracy, %"),
    )
    logger.info("%s", text)
    return report


class Attacked:
    """A classifier, and faces to attack it with.

    Args:
        net: in evaluation mode.
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``, where the network is.
        truth: ``int64[N]``, there as well.
    """

    def __init__(self, net: nn.Module, faces: Tensor, truth: Tensor) -> None:
        self._net = net.requires_grad_(False)  # noqa: FBT003 - PyTorch's own
        self._faces = faces
        self._truth = truth
        self._said = self._read(faces)

    def by_steps(self, eps: float, steps: int, seed: int) -> Tensor:
        """FGSM, or PGD where ``steps`` is not zero, away from what the classifier says itself."""
        generator = torch.Generator().manual_seed(seed)

        def attack(faces: Tensor, said: Tensor) -> Tensor:
            if not steps:
                return fgsm(self._fast, faces, against(said), eps / LEVELS)
            away, span = against(said), eps / LEVELS
            return pgd(self._fast, faces, away, span, steps=steps, generator=generator)

        return self._each(attack, f"{'PGD' if steps else 'FGSM'} {eps:g}")

    def by_deepfool(self) -> tuple[Tensor, Tensor]:
        """The nearest change of class by L-infinity, and how far it is.

        Returns:
            The faces, of which one that withstands stays as it is, and ``float32[N]`` levels,
            infinitely many for that one.
        """
        fooled: list[Tensor] = []

        def attack(faces: Tensor, _said: Tensor) -> Tensor:
            found = deepfool(self._net, faces, norm=math.inf)
            fooled.append(found.fooled)
            return torch.where(found.fooled[:, None, None, None], found.faces, faces)

        nearest = self._each(attack, "DeepFool")
        levels = LEVELS * (nearest - self._faces).abs().amax(dim=(1, 2, 3))
        return nearest, levels.masked_fill(~torch.cat(fooled), math.inf)

    def row(self, attack: str, eps: float, faces: Tensor) -> dict[str, Any]:
        """The figures of attacked faces; rounding to 8 bits, which would weaken them, is not done.

        Raises:
            ValueError: a face changed by more than ``eps`` levels or left the range.
        """
        far = (faces - self._faces).abs().max() > eps / LEVELS + 1e-5
        if far or faces.min() < 0.0 or faces.max() > 1.0:
            msg = f"{attack} broke its budget of {eps:g} levels, or the range"
            raise ValueError(msg)
        said = self._read(faces)
        count = len(said)
        fooled = float((said != self._said).float().mean())
        low, high = wilson(fooled, count)
        accuracy = float((said == self._truth).float().mean())
        return {
            "attack": attack,
            "eps": eps,
            "faces": count,
            "accuracy": accuracy,
            "fooling_rate": fooled,
            "low": low,
            "high": high,
        }

    def _fast(self, faces: Tensor) -> Tensor:
        with autocast(faces.device):
            logits: Tensor = self._net(faces).float()
        return logits

    @torch.no_grad()
    def _read(self, faces: Tensor) -> Tensor:
        return torch.cat([self._net(part).argmax(1) for part in torch.split(faces, BATCH)])

    def _each(self, attack: Callable[[Tensor, Tensor], Tensor], name: str) -> Tensor:
        parts = list(
            zip(torch.split(self._faces, BATCH), torch.split(self._said, BATCH), strict=True)
        )
        return torch.cat([attack(*part) for part in tqdm(parts, desc=name, unit="batch")])
