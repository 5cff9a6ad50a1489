"""Reports as Markdown."""

from typing import Any, Final

import numpy as np

_BITS: Final = (
    "bits_beyond_chance",
    "bits_beyond_chance_low",
    "bits_beyond_chance_high",
    "clean_bits_beyond_chance",
)


def evaluate_markdown(report: dict[str, Any]) -> str:
    """The table of an ``evaluate`` report: a row for each strength, leg and classifier."""
    known = {
        (row["strength"], row["leg"], row["classifier"], row["perturbation"]): row
        for row in report["rows"]
    }
    ours, *others = dict.fromkeys(row["perturbation"] for row in report["rows"])
    lines = [
        f"Read from the last picture of a call, in {report['found']} of {report['faces']} FER2013 "
        "PrivateTest faces that stand in no other split; the finder does not see the others, so "
        f"that they would be shielded. Made against {', '.join(report['made_against'])}: in bold, "
        "as is what shares the architecture of a gradient. At strength 1 at most "
        f"{report['eps']:g} levels are added and the face is moved by at most "
        f"{_percent(report['shift'])} of its width. " + _fitted(report) + "Random sign noise of "
        "the same levels stands beside it.",
        "",
        f"| strength | leg | classifier | fooled (95 %) | {' | '.join(others)} "
        "| read rightly, before | UAR, before | bits beyond chance (95 %), before | largest class "
        "| faces |",
        "|---" * (9 + len(others)) + "|",
    ]
    for strength, leg in dict.fromkeys((row["strength"], row["leg"]) for row in report["rows"]):
        pairs = {
            name: tuple(known[strength, leg, name, kind] for kind in (ours, *others))
            for name in report["classifiers"]
        }
        before = f"| {strength:g} | {leg} | "
        lines += [
            before + _evaluated(f"**{name}**" if about["attacked"] else name, *pairs[name])
            for name, about in report["classifiers"].items()
        ]
        unseen = _unseen(report)
        if all(row["faces"] for name in unseen for row in pairs[name]) and unseen:
            lines.append(before + _mean_of(unseen, pairs))
    lines += ["", *_notes(report), "", *_visible(report), f"Made by `{report['command']}`.", ""]
    return "\n".join(lines)


def _fitted(report: dict[str, Any]) -> str:
    if not report.get("fitted_with"):
        return ""
    start = "from nothing" if report["from_scratch"] else "from the perturbation for all faces"
    return f"Fitted to each face, {start}, with {', '.join(report['fitted_with'])}. "


def _evaluated(name: str, ours: dict[str, Any], *others: dict[str, Any]) -> str:
    """The cells of a classifier; ``others`` are what the perturbation is held against."""
    if not ours["faces"]:
        return " | ".join([name, "no face is found", *[""] * (4 + len(others)), "0"]) + " |"
    bits, low, high, clean = (ours[key] for key in _BITS)
    cells = [
        name,
        _rate(ours),
        *(_rate(other) if other["faces"] else "" for other in others),
        f"{100 * ours['accuracy']:.1f} %, {100 * ours['clean_accuracy']:.1f} %",
        f"{100 * ours['uar']:.1f} %, {100 * ours['clean_uar']:.1f} %",
        f"{bits:.2f} ({low:.2f} - {high:.2f}), {clean:.2f}",
        f"{100 * ours['sink_share']:.0f} %",
        f"{ours['faces']}",
    ]
    return " | ".join(cells) + " |"


def _unseen(report: dict[str, Any]) -> dict[str, str]:
    """Classifiers of architectures that the attack never saw, by name; which architecture each is.

    A classifier of an architecture that was attacked is none, whatever its weights. Of attacked
    classifiers that were not measured only the name is known, which is taken for the architecture.
    """
    classifiers = report["classifiers"]
    attacked = {about["architecture"] for about in classifiers.values() if about["attacked"]}
    attacked |= {name.lower() for name in report["made_against"]}
    return {
        name: about["architecture"]
        for name, about in classifiers.items()
        if about["architecture"] not in attacked and not about["control"]
    }


def _mean_of(unseen: dict[str, str], pairs: dict[str, tuple[dict[str, Any], ...]]) -> str:
    """The cells of the mean over architectures, each the mean of its classifiers.

    The last pattern is what ours is held against.
    """
    by_architecture: dict[str, list[tuple[float, ...]]] = {}
    for name, architecture in unseen.items():
        rates = tuple(row["fooling_rate"] for row in pairs[name])
        by_architecture.setdefault(architecture, []).append(rates)
    means = np.mean([np.mean(rates, axis=0) for rates in by_architecture.values()], axis=0)
    cells = [f"{100 * rate:.1f} %" for rate in means]
    if means[-1]:
        cells[0] += f", {means[0] / means[-1]:.1f} times the noise"
    count = len(by_architecture)
    name = f"*mean of {count} architecture{'s' * (count != 1)} never seen*"
    return " | ".join([name, *cells, *[""] * 5]) + " |"


def _notes(report: dict[str, Any]) -> list[str]:
    chance = [row["bits"] - row["bits_beyond_chance"] for row in report["rows"] if row["faces"]]
    sent = ", ".join(f"{leg} {kbps:.0f}" for leg, kbps in report["sent_kbps"].items() if kbps)
    lines = [
        f"- Each face is a call of {report['pictures']} pictures of a camera that takes 30 a "
        f"second, with noise of {report['camera_noise']:g} levels; the face is found anew in the "
        "last one. A face that is not found there, clean or protected, is left out of that row.",
        "- Intervals are over faces: FER2013 does not say who is who, so that two pictures of one "
        "person count as two. Bits are what the usual estimate shows beyond what it is expected to "
        f"show of as many faces that tell nothing, {min(chance, default=0.0):.2f} to "
        f"{max(chance, default=0.0):.2f} bit here; the usual estimate is in the report.",
    ]
    if sent:
        lines.append(f"- What the encoders sent of that, in kb/s: {sent}.")
    lines += [f"- {leg} is left out: {why}." for leg, why in report["skipped"].items()]
    if rule := report.get("landmark_rule"):
        lines.append(
            f"- The landmark rule is a control: a regression on 68 of MediaPipe's landmarks, "
            f"fitted to {rule['faces']} training faces, right in {100 * rule['accuracy']:.1f} % "
            "of PublicTest. It sees no texture; what fools it has moved the landmarks."
        )
    return lines


def _visible(report: dict[str, Any]) -> list[str]:
    """How visible it is, as a table of its own."""
    if not report["seen"]:
        return []
    looked = report.get("looked_at")
    faces = f" ({looked} face{'s' * (looked != 1)})" if looked else ""
    lines = [
        f"On the face, in every tenth{faces}: PSNR, SSIM and FLIP "
        "of what is added to it, once it is moved, and FLIP of both together; last what the codec "
        "alone costs on a good line.",
        "",
        "| | PSNR | SSIM | FLIP | FLIP, moved, too |",
        "|---|---|---|---|---|",
    ]
    for name, parts in report["seen"].items():
        added = parts["added"]
        moved = f"{parts['moved']['flip']:.3f}" if "moved" in parts else ""
        lines.append(
            f"| {name} | {added['psnr_db']:.1f} dB | {added['ssim']:.3f} | {added['flip']:.3f} "
            f"| {moved} |"
        )
    return [*lines, ""]


def robustness_markdown(report: dict[str, Any]) -> str:
    """The table of a ``robustness`` report."""
    levels = report["deepfool_median_levels"]
    away = (
        "DeepFool finds no change of class for half of them or more."
        if levels is None
        else f"the median way to DeepFool's nearest change is {levels:.2f} levels."
    )
    lines = [
        f"{report['net']} under attacks made for each face, on {report['faces']} PrivateTest faces "
        "that stand in no other split, one centre crop. FGSM, PGD and DeepFool lead away from what "
        f"it says of the clean face; {away}",
        "",
        "| attack | eps, levels of 255 | accuracy left | class changed (95 %) | faces |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['attack']} | {row['eps']:g} | {100 * row['accuracy']:.1f} % "
        f"| {100 * row['fooling_rate']:.1f} % "
        f"({100 * row['low']:.1f} - {100 * row['high']:.1f}) | {row['faces']} |"
        for row in report["rows"]
    ]
    lines += ["", f"Made by `{report['command']}`.", ""]
    return "\n".join(lines)


def compare_markdown(report: dict[str, Any]) -> str:
    """The table of a ``compare`` report: what each perturbation does to each classifier."""
    classifiers = [*report["classifiers"]]
    lines = [
        f"One perturbation for all faces, made against {report['victim']} from "
        f"{report['training_faces']} training faces, {report['passes']} times over at most, on "
        f"{report['faces']} PrivateTest faces that stand in no other split: how many are read as "
        "another class (95 %), and of the victim the share of the largest class and the bits of "
        "the true class that are left beyond chance. The last column is the time after which "
        f"{_goal(report)} of {report['held_out_faces']} held-out PublicTest faces were fooled.",
        "",
        f"| eps | perturbation | {' | '.join(classifiers)} | largest class | bits | seconds "
        f"| to {_goal(report)} |",
        "|---" * (6 + len(classifiers)) + "|",
    ]
    known = {(row["eps"], row["perturbation"], row["network"]): row for row in report["rows"]}
    for eps, name in dict.fromkeys((row["eps"], row["perturbation"]) for row in report["rows"]):
        cells = [_rate(known[eps, name, classifier]) for classifier in classifiers]
        row = known[eps, name, report["victim"]]
        lines.append(
            f"| {eps:g} | {name} | {' | '.join(cells)} | {100 * row['sink_share']:.0f} % "
            f"| {row['bits_beyond_chance']:.2f} of {row['clean_bits_beyond_chance']:.2f} "
            f"| {row['seconds']:.1f} | {_soon(row)} |"
        )
    lines += ["", f"Made by `{report['command']}`.", ""]
    return "\n".join(lines)


def _goal(report: dict[str, Any]) -> str:
    return f"{100 * report['goal']:.0f} %"


def _soon(row: dict[str, Any]) -> str:
    if not row["learns"]:
        return ""
    if row["goal_s"] is None:
        return f"not reached in {row['seconds']:.1f} s"
    return f"{row['goal_s']:.1f} s"


def _rate(row: dict[str, Any]) -> str:
    rate, low, high = (100 * row[key] for key in ("fooling_rate", "low", "high"))
    return f"{rate:.1f} % ({low:.1f} - {high:.1f})"


def _percent(shift: float) -> str:
    return f"{100 * shift:.2g} %" if shift else "0"
