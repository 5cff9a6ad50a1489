"""Train a classifier of micro-expressions fold by fold, and score it on the people left out.

    facecloak-train fit-clips --data runs/synthetic --out runs/stcnn --net stcnn

A fold that is done keeps its weights and its answers in the run folder, so that a killed run goes
on with the next one; `--fold` does one alone. `score.json` pools the answers of all folds:
accuracy, UF1 and UAR with intervals over subjects.
"""

import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak_train import nets, run
from facecloak_train.clip_training import Clips, chosen_folds, clip_logits, fit_clips, load
from facecloak_train.crew import Crew
from facecloak_train.data import clips
from facecloak_train.measure.accuracy import confusion_matrix
from facecloak_train.measure.clips import reading
from facecloak_train.settings import FitClipsSettings

logger = logging.getLogger(__name__)


def fit_clip_classifier(settings: FitClipsSettings) -> dict[str, Any]:
    """Train every fold, write the score, return it (empty where nobody is left out)."""
    found = clips.read_clips(settings.data)
    people = np.array(found.subjects)
    parts = chosen_folds(settings.protocol, people, settings.training.seed, settings.fold)
    nets.build_for_clips(settings.net, len(found.classes), settings.frames)
    if any(test.all() for _, test in parts):
        msg = f"{settings.data} shows one person alone; {settings.protocol} leaves nobody to learn "
        raise run.RunError(msg + "from")
    whole = load(found, settings.frames)
    identity = _identity(settings, found.digest)
    done = {name: _is_done(_kept(settings, name), identity) for name, _ in parts}
    about, where = dataclasses.asdict(settings), Crew(0, 1, torch.device("cpu")).about()
    run.describe(settings.out, about, found.digest, where, resumed=any(done.values()))
    begun_s, trained = time.monotonic(), 0
    progress = tqdm(parts, unit="fold", desc=settings.net)
    for name, test in progress:
        if not done[name]:
            _fit_fold(settings, whole, test, _kept(settings, name), identity, progress)
            trained += int((~test).sum()) * settings.training.epochs
    rate = trained / max(time.monotonic() - begun_s, 1e-9)
    if trained:
        logger.info("%.0f clips a second, trained and tested", rate)
    if settings.protocol == "all":
        return {}
    return _score(settings, whole, parts, found.digest)


def _fit_fold(
    settings: FitClipsSettings,
    whole: Clips,
    test: NDArray[np.bool_],
    path: Path,
    identity: dict[str, Any],
    progress: "tqdm[Any]",
) -> None:
    torch.manual_seed(settings.training.seed)
    net = nets.build_for_clips(settings.net, len(whole.classes), settings.frames)
    losses: list[float] = []

    def told(loss: float) -> None:
        losses.append(loss)
        if len(losses) % 10 == 0:
            progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")

    fit_clips(net, whole.only(~test), settings.training, told)
    answers = clip_logits(net, whole.frames[torch.from_numpy(test)])
    tensors = net.state_dict() | {"answers": answers}
    state = {"net": settings.net, "frames": settings.frames, "identity": identity}
    state |= {"classes": whole.classes, "loss": float(np.mean(losses[-50:]))}
    run.save_checkpoint(path, tensors, state)


def _kept(settings: FitClipsSettings, fold: str) -> Path:
    """Where a fold's network is."""
    return settings.out / f"{fold}.safetensors"


def _is_done(path: Path, identity: dict[str, Any]) -> bool:
    if not path.is_file():
        return False
    begun = run.load_checkpoint(path)[1]["identity"]
    if begun != identity:
        changed = ", ".join(sorted(k for k in identity if begun.get(k) != identity[k]))
        msg = f"{path} was made with another {changed}; give the same, or another --out"
        raise run.RunError(msg)
    return True


def _identity(settings: FitClipsSettings, digest: str) -> dict[str, Any]:
    fields = dataclasses.asdict(settings) | {"data": digest}
    return {k: v for k, v in fields.items() if k not in ("out", "fold")}


def _score(
    settings: FitClipsSettings,
    whole: Clips,
    parts: list[tuple[str, NDArray[np.bool_]]],
    digest: str,
) -> dict[str, Any]:
    truth, said, who = [], [], []
    for name, test in parts:
        answers = run.load_checkpoint(_kept(settings, name))[0]["answers"]
        said.append(answers.argmax(1).numpy())
        truth.append(whole.labels.numpy()[test])
        who.append(whole.subjects[test])
    pooled = np.concatenate(truth), np.concatenate(said)
    figures = reading(*pooled, np.concatenate(who), len(whole.classes))
    report = {
        "command": run.command(),
        "net": settings.net,
        "protocol": settings.protocol,
        "data_sha256": digest,
        "classes": whole.classes,
        "clips": len(pooled[0]),
        "subjects": len(np.unique(np.concatenate(who))),
        "reading": dataclasses.asdict(figures),
        "confusion": confusion_matrix(*pooled, len(whole.classes)).tolist(),
    }
    if settings.fold:
        who_all = np.concatenate(who).tolist()
        report["fold"] = parts[0][0]
        report["told"] = {"truth": pooled[0].tolist(), "said": pooled[1].tolist(), "who": who_all}
    run.write_atomically(settings.out / "score.json", json.dumps(report, indent=2).encode())
    logger.info(
        "%s, %s: accuracy %.1f %%, UF1 %.3f, UAR %.3f",
        settings.net,
        settings.protocol,
        100 * figures.accuracy,
        figures.uf1,
        figures.uar,
    )
    return report
