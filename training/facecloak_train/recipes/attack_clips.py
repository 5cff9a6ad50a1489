"""Attack classifiers of micro-expressions with one perturbation for all clips, fold by fold.

    facecloak-train attack-clips --data runs/synthetic --runs runs/stcnn runs/learnet
        --out docs/results/micro/synthetic/attack.json

In each fold neither the classifiers nor the attack have seen the person that it is measured on.
Measured are a still perturbation by Moosavi-Dezfooli's procedure for each classifier, AdverFacial's
as it was published, as it is and within the budget, a still and a beating one of random signs,
a pair that beats and the circle of frames that `beat` makes, each against all classifiers together.
Everything is rounded to 8 bits, and measured at several frames of the circle at which a clip can
begin: the worst of them counts as much as the mean. Five minutes a fold for two classifiers on one
busy core.
"""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from facecloak_train import run
from facecloak_train.attacks.adverfacial import adverfacial
from facecloak_train.attacks.temporal import (
    LEVELS,
    ClipPainter,
    beating,
    beating_pair,
    circular,
    moosavi_dezfooli,
    within_beat,
)
from facecloak_train.clip_training import Clips, chosen_folds, clip_logits, load, load_classifier
from facecloak_train.data import clips
from facecloak_train.measure.clips import clip_fooling
from facecloak_train.nets.clips import CLIP_FPS, CLIP_PX
from facecloak_train.precision import autocast
from facecloak_train.settings import AttackClipsSettings

logger = logging.getLogger(__name__)

Change = Callable[[Tensor], Tensor]
"""Clips, ``float32[N, T, S, S]`` in ``[0, 1]``, to clips."""

UAP: Final = "Moosavi-Dezfooli, still"
PUBLISHED: Final = "AdverFacial as published, without a bound"
PUBLISHED_BOUND: Final = "AdverFacial as published, then cut to the budget"
RANDOM: Final = "random signs, still"
BEATING_RANDOM: Final = "random signs, beating"
_CLEAN: Final = "clean"
_PUBLISHED_CLIPS: Final = 8
"""From how many of the clips that they are measured on the published ones are made, in one pass:
they take a tenth of a second for each frame."""
PAIR: Final = "FaceCloak, beating"
OWN: Final = "FaceCloak, a circle of frames"


def attack_clips(settings: AttackClipsSettings) -> dict[str, Any]:
    """Attack every fold, pool the answers, write the report, return it.

    Raises:
        RunError: a run is not finished or of other clips, two are of the same architecture, or
            their classifiers take clips of several lengths.
    """
    found = clips.read_clips(settings.data)
    victims = [_Victim(path, found) for path in settings.runs]
    names = [victim.name for victim in victims]
    if len({*names}) < len(names):
        msg = f"--runs has an architecture more than once, {', '.join(names)}; give one run of each"
        raise run.RunError(msg)
    frames = {victim.frames for victim in victims}
    if len(frames) > 1:
        msg = f"the classifiers take clips of several lengths, {sorted(frames)}; take those of one"
        raise run.RunError(msg)
    whole = load(found, victims[0].frames)
    parts = chosen_folds("loso", np.array(found.subjects), 0, settings.fold)
    parts = parts[: settings.folds or None]
    answers: dict[tuple[str, str], list[np.ndarray[Any, Any]]] = {}
    tested = np.zeros(len(whole), dtype=bool)
    order, published = [], []
    for name, test in tqdm(parts, unit="fold", desc="attack"):
        tested |= test
        order.append(np.flatnonzero(test))
        nets_of = {victim.name: victim.net(name) for victim in victims}
        published.append(_attack_fold(settings, whole, test, nets_of, answers))
    where = np.concatenate(order)
    truth, who = whole.labels.numpy()[where], whole.subjects[where]
    rows = []
    for (victim, method), told in answers.items():
        if method == _CLEAN:
            continue
        clean = np.concatenate(answers[victim, _CLEAN], axis=1)[0]
        attacked = np.concatenate(told, axis=1)
        figures = clip_fooling(truth, clean, attacked, who, len(whole.classes))
        row = {"net": victim, "method": method} | figures
        if settings.fold:
            row["told"] = {"clean": clean.tolist(), "attacked": attacked.tolist()}
        rows.append(row)
        logger.info(
            "%s, %s: %.1f %% fooled at worst, UAR %.2f -> %.2f, %.2f bit",
            victim,
            method,
            100 * figures["fooling_rate"],
            figures["clean_uar"],
            figures["uar"],
            figures["bits"],
        )
    report = {
        "command": run.command(),
        "eps": settings.eps,
        "period_s": settings.beat.frames / CLIP_FPS,
        "folds": len(parts),
        "offsets": settings.offsets,
        "classes": whole.classes,
        "published_levels": max(published),
        "rows": rows,
    }
    if settings.fold:
        report["fold"] = parts[0][0]
        report["told"] = {"truth": truth.tolist(), "who": who.tolist()}
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, json.dumps(report, indent=2).encode())
    return report


class _Victim:
    """A classifier's run folder."""

    def __init__(self, folder: Path, found: clips.ClipSet) -> None:
        self._folder = folder
        score = folder / "score.json"
        about = json.loads(score.read_text()) if score.is_file() else {}
        if about.get("protocol") != "loso" or about.get("data_sha256") != found.digest:
            msg = f"{folder} is no finished run of `fit-clips --protocol loso` on {found.folder}"
            raise run.RunError(msg)
        self.name: str = about["net"]
        self.frames = load_classifier(min(folder.glob("without-*.safetensors"))).frames

    def net(self, fold: str) -> nn.Module:
        """The classifier of a fold, in evaluation mode."""
        return load_classifier(self._folder / f"{fold}.safetensors").net


def _attack_fold(
    settings: AttackClipsSettings,
    whole: Clips,
    test: np.ndarray[Any, Any],
    victims: dict[str, nn.Module],
    answers: dict[tuple[str, str], list[np.ndarray[Any, Any]]],
) -> float:
    """Make every perturbation from this fold's training clips, and take down what it does.

    Returns:
        The most levels that AdverFacial's changes a value by without a bound.
    """
    training, held_out = whole.only(~test), whole.only(test).frames
    painter, nothing = ClipPainter(CLIP_PX, settings.eps), torch.zeros(1, 1)
    count = settings.beat.frames
    starts = torch.arange(settings.offsets) * count // settings.offsets

    def tell(victim: str, method: str, changes: Sequence[Change | None]) -> None:
        said = [clip_logits(victims[victim], held_out, change).argmax(1) for change in changes]
        answers.setdefault((victim, method), []).append(torch.stack(said).numpy())

    generator = torch.Generator().manual_seed(settings.beat.seed)
    signs = torch.rand(3, settings.beat.cells, settings.beat.cells, generator=generator) < 0.5
    random = (signs.float() * 2.0 - 1.0) * settings.eps
    nets, seen = [*victims.values()], training.frames
    still = _painted(painter, random[0], torch.zeros(1, 1, 1), 0)
    noise, pair, circle = (
        [_painted(painter, nothing, one, int(start)) for start in starts]
        for one in (
            beating(within_beat(settings.eps)(random[1:]), count),
            beating_pair(nets, seen, settings.eps, settings.beat),
            circular(nets, seen, painter, nothing, settings.beat),
        )
    )
    published = adverfacial(held_out[:_PUBLISHED_CLIPS], settings.beat.seed, passes=1)
    most = settings.eps / LEVELS
    for name, net in victims.items():
        uap = moosavi_dezfooli(_fast(net), training.frames[::8], settings.eps, passes=1)
        tell(name, _CLEAN, [None])
        tell(name, UAP, [_added(uap)])
        tell(name, PUBLISHED, [_added(published)])
        tell(name, PUBLISHED_BOUND, [_added(published.clamp(-most, most))])
        tell(name, RANDOM, [still])
        tell(name, BEATING_RANDOM, noise)
        tell(name, PAIR, pair)
        tell(name, OWN, circle)
    return LEVELS * float(published.abs().max())


def _painted(painter: ClipPainter, static: Tensor, circle: Tensor, start: int) -> Change:
    return lambda seen: painter.cloak(seen, static, circle, torch.full((len(seen),), start))


def _added(still: Tensor) -> Change:
    return lambda seen: ((seen + still).clamp(0.0, 1.0) * LEVELS).round() / LEVELS


def _fast(net: nn.Module) -> Callable[[Tensor], Tensor]:
    def logits(seen: Tensor) -> Tensor:
        with autocast("cpu"):
            told: Tensor = net(seen)
        return told.float()

    return logits
