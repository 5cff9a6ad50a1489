"""Measure a perturbation at the far end of calls, as classifiers there read what arrives.

    facecloak-train evaluate --data runs/fer2013.npz
        --models models/vgg19.onnx models/resnet14.onnx runs/hardened/best.safetensors
        --perturbation perturbations/default.safetensors --out docs/results/evaluate.json

A PrivateTest face that stands in no other split becomes a short call (``measure.calls``). The
shipped finder and compositor protect it, once with the perturbation, once with random sign noise of
the same levels; an encoder at a constant bit rate sends it; and in the last picture that arrives
the finder looks for the face anew, as the far end would. Every classifier reads the same pictures.
A face that is not found in the clean or in the protected picture is counted, not judged. Each call
begins at a moment of its own, so that a perturbation that changes with time is met at any.

A face takes about two seconds of two cores on nine legs; ``--workers`` takes as many faces at once.
What was read is kept beside the report until that is written, so that the same command goes on
after a kill. A Markdown table and a picture go beside the report.
"""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from facecloak_train import run
from facecloak_train.data import fer2013
from facecloak_train.evaluation import Evaluation, begin
from facecloak_train.measure import landmark_rule
from facecloak_train.measure.codec import REENCODED, Leg
from facecloak_train.measure.far_end import CLEAN, Row
from facecloak_train.measure.fooling import fooling_of_readings
from facecloak_train.measure.laying import FOR_ALL, NOISE, OURS, attacked, named
from facecloak_train.measure.ledger import Ledger
from facecloak_train.measure.pictures import Panel, prices, rates
from facecloak_train.measure.reading import Victim
from facecloak_train.measure.report import evaluate_markdown
from facecloak_train.measure.side_by_side import side_by_side
from facecloak_train.settings import EvaluateSettings

logger = logging.getLogger(__name__)

_RECORDED: Final = (
    *("faces", "fooling_rate", "low", "high", "accuracy", "clean_accuracy", "uar"),
    *("sink_share", "bits_beyond_chance", "clean_bits_beyond_chance"),
)
"""What a header tells of a classifier after a leg."""


def evaluate_fooling(settings: EvaluateSettings) -> dict[str, Any]:
    """Measure, write report, table and picture, return the report.

    Raises:
        ValueError: there is no such leg, this machine can send over none, two classifiers have the
            same name, there is nothing to fit with, or the finder sees no face.
        RunError, ArtifactError: a classifier cannot be read, or the one that chooses does not ship.
        ConfigError: a strength is not possible.
    """
    if settings.workers < 1:
        msg = f"--workers is {settings.workers}; give 1 or more"
        raise ValueError(msg)
    with contextlib.ExitStack() as entered:
        bench = Evaluation(settings)
        question = _question(settings, [victim.sha256 for victim in bench.victims])
        ledger = Ledger(bench.folder, question)
        measure = bench.measure(entered)
        todo = [number for number in bench.chosen if number not in ledger.rows]
        if settings.workers == 1:
            measured = measure(todo)
        else:
            measured = side_by_side(begin, settings, todo, settings.workers)
        with tqdm(total=len(todo), unit="face") as progress:
            for some in measured:
                ledger.add(some)
                progress.update(len(some))
    legs, victims, chosen, shipped = bench.legs, bench.victims, bench.chosen, bench.shipped
    found = [ledger.rows[number] for number in chosen if ledger.rows[number]["found"]]
    if not found:
        msg = f"the finder sees none of the {len(chosen)} faces; take more by --faces"
        raise ValueError(msg)
    rows = [
        {"strength": strength, "leg": leg.name, "classifier": victim.name, "perturbation": kind}
        | _figures(found, leg, victim, named(kind, strength))
        for strength in settings.strengths
        for leg in legs
        for victim in victims
        for kind in bench.patterns
    ]
    seen = _seen(found)
    known, made_against = attacked(settings, shipped, bench.gradients)
    if settings.record:
        kind = FOR_ALL if bench.gradients else OURS
        header = dataclasses.replace(shipped.header, measured=_measured(rows, seen, kind))
        shipped.with_header(header).save(settings.perturbation)
    report = {
        "command": run.command(),
        "perturbation_sha256": run.digest_of(settings.perturbation),
        "made_against": made_against,
        "fitted_with": [model.card.name for model in bench.gradients],
        "from_scratch": settings.from_scratch,
        "eps": shipped.header.eps,
        "shift": shipped.header.shift,
        "classifiers": {
            victim.name: {
                "architecture": victim.architecture,
                "sha256": victim.sha256,
                "attacked": bool({victim.name, victim.sha256, victim.architecture} & known),
                "control": victim.name == landmark_rule.NAME,
            }
            for victim in victims
        },
        "classes": len(fer2013.LABELS),
        "left_out": bench.left_out,
        "faces": len(chosen),
        "found": len(found),
        "camera_noise": settings.noise,
        "pictures": settings.pictures,
        "sent_kbps": {leg.name: _mean(row["kbps"][leg.key] for row in found) for leg in legs},
        "skipped": bench.skipped,
        "looked_at": sum("seen" in row for row in found),
        "seen": seen,
        "rows": rows,
        **bench.told,
    }
    _write(settings.out, report)
    ledger.remove()
    return report


def _write(out: Path, report: Mapping[str, Any]) -> None:
    """The report, its table and its picture, side by side."""
    out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(out, json.dumps(report, indent=2).encode())
    text = evaluate_markdown(dict(report))
    run.write_atomically(out.with_suffix(".md"), text.encode())
    rates(out.with_suffix(".png"), report["rows"], (OURS, NOISE))
    panels = price_panels(report)
    if panels:
        axes = "FLIP of the face, moved and added to", "fooled, %"
        prices(out.with_name(f"{out.stem}-price.png"), panels, axes)
    logger.info("%s", text)


def price_panels(report: Mapping[str, Any]) -> list[Panel]:
    """For each classifier, how many faces are fooled over what that costs, strength by strength.

    After the first of the legs; none of a report of one strength, or where nobody looked.
    """
    rows, seen = report["rows"], report["seen"]
    if not seen or len({row["strength"] for row in rows}) < 2:
        return []
    panels = []
    for classifier in report["classifiers"]:
        lines: dict[str, list[tuple[float, float]]] = {}
        for row in rows:
            if (row["classifier"], row["leg"]) == (classifier, rows[0]["leg"]) and row["faces"]:
                cost = seen[named(row["perturbation"], row["strength"])]["moved"]["flip"]
                rate = 100.0 * row["fooling_rate"]
                lines.setdefault(row["perturbation"], []).append((cost, rate))
        bars = {"re-encoding at 2500 kb/s": seen[REENCODED.key]["added"]["flip"]}
        panels.append(Panel(f"{classifier}, {rows[0]['leg']}", lines, bars))
    return panels


def _question(settings: EvaluateSettings, victims: Sequence[str]) -> dict[str, Any]:
    """What the readings of a face depend on."""
    asked = dataclasses.asdict(settings)
    for other in ("out", "faces", "record", "models", "workers"):
        del asked[other]
    asked |= {name: run.digest_of(asked[name]) for name in ("data", "perturbation")}
    asked["tailor"] = [run.digest_of(path) for path in settings.tailor]
    return asked | {"victims": victims}


def _figures(found: Sequence[Row], leg: Leg, victim: Victim, name: str) -> dict[str, Any]:
    """What was fooled, of the faces that the far end found both clean and with that cloak."""
    readings = [
        (said[CLEAN][victim.name], said[name][victim.name], row["label"])
        for row in found
        if {CLEAN, name} <= (said := row["readings"][leg.key]).keys()
    ]
    if not readings:
        return {"faces": 0}
    clean, cloaked, truth = np.array(readings, np.int64).T
    return dataclasses.asdict(fooling_of_readings(clean, cloaked, truth, len(fer2013.LABELS)))


def _seen(found: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """How visible everything is, in the mean."""
    looked = [row["seen"] for row in found if "seen" in row]
    if not looked:
        return {}
    return {
        name: {
            part: {key: _mean(one[name][part][key] for one in looked) for key in figures}
            for part, figures in parts.items()
        }
        for name, parts in looked[0].items()
    }


def _measured(
    rows: Sequence[Mapping[str, Any]],
    seen: Mapping[str, Mapping[str, Mapping[str, float]]],
    kind: str,
) -> dict[str, float]:
    """What goes into a header: of the first strength, each classifier after each leg.

    Of the noise beside it, how many are fooled.
    """
    first = rows[0]["strength"]
    told = {kind: ("", _RECORDED), NOISE: (f"{NOISE}, ", ("fooling_rate",))}
    measured = {
        f"{row['classifier']}, {row['leg']}, {before}{figure}": row[figure]
        for row in rows
        if row["strength"] == first and row["perturbation"] in told and row["faces"]
        for before, figures in (told[row["perturbation"]],)
        for figure in figures
    }
    visible = seen.get(named(kind, first), {})
    return measured | {
        f"{part}, {key}": value
        for part, figures in visible.items()
        for key, value in figures.items()
    }


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([*values]))
