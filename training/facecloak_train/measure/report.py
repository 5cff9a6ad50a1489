"""Reports as Markdown."""

from typing import Any


def markdown(report: dict[str, Any]) -> str:
    """The table of an ``evaluate`` report."""
    rows = report["rows"].items()
    first = next(iter(report["rows"].values()))
    lines = [
        f"Against {report['classifier']}, on the {report['found']} of {report['faces']} FER2013 "
        "PrivateTest faces that the finder sees and that stand in no other split "
        f"({report['left_out']} do); clean accuracy {100 * first['clean_accuracy']:.1f} %, "
        f"{first['clean_bits']:.2f} bit.",
        "",
        "| perturbation | levels | shift | fooled (95 %) | accuracy left | bits left "
        "| largest class | PSNR | SSIM |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['budget_levels']:.0f}/255 | {_percent(row['shift'])} "
        f"| {100 * row['fooling_rate']:.1f} % "
        f"({100 * row['low']:.1f} - {100 * row['high']:.1f}) | {100 * row['accuracy']:.1f} % "
        f"| {row['bits']:.2f} | {100 * row['sink_share']:.0f} % "
        f"| {row['psnr_db']:.1f} dB | {row['ssim']:.3f} |"
        for name, row in rows
    ]
    lines += [
        "",
        "The shift is the largest displacement in percent of the width of the face; PSNR and SSIM "
        "compare with the face once moved.",
    ]
    lines += ["", f"Made by `{report['command']}`.", ""]
    return "\n".join(lines)


def call_markdown(report: dict[str, Any]) -> str:
    """The table of a ``call`` report: a row for each leg, a pair of columns for each classifier."""
    rows = report["rows"]
    classifiers = list(dict.fromkeys(row["classifier"] for row in rows))
    kinds = list(dict.fromkeys(row["perturbation"] for row in rows))
    columns = [(classifier, kind) for classifier in classifiers for kind in kinds]
    known = {(row["leg"], row["classifier"], row["perturbation"]): row for row in rows}
    lines = [
        f"Fooled at strength {report['strength']:g} (at most {report['budget_levels']} levels, "
        f"shift {_percent(report['shift'])}), of {report['found']} PrivateTest faces that the "
        "finder sees; in brackets the 95 % interval, then bits left of bits before. Made against "
        f"{', '.join(report['victims'])}.",
        "",
        "| leg | " + " | ".join(f"{who}, {kind}" for who, kind in columns) + " |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for leg in dict.fromkeys(row["leg"] for row in rows):
        cells = [
            _cell(known[leg, *column]) if (leg, *column) in known else "" for column in columns
        ]
        lines.append(f"| {leg} | " + " | ".join(cells) + " |")
    lines += ["", f"Made by `{report['command']}`.", ""]
    return "\n".join(lines)


def robustness_markdown(report: dict[str, Any]) -> str:
    """The table of a ``robustness`` report."""
    lines = [
        f"{report['net']} under attacks made for each face, on {report['faces']} PrivateTest faces "
        "that stand in no other split, one centre crop. FGSM, PGD and DeepFool lead away from what "
        "it says of the clean face; the median way to DeepFool's nearest change is "
        f"{report['deepfool_median_levels']:.2f} levels.",
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
        f"the true class that are left. The last column is the time after which {_goal(report)} of "
        f"{report['held_out_faces']} held-out PublicTest faces were fooled.",
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
            f"| {row['bits']:.2f} of {row['clean_bits']:.2f} | {row['seconds']:.1f} "
            f"| {_soon(row)} |"
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


def _cell(row: dict[str, Any]) -> str:
    rate, low, high = (100 * row[key] for key in ("fooling_rate", "low", "high"))
    return (
        f"{rate:.1f} % ({low:.1f} - {high:.1f}) of {row['faces']}, "
        f"{row['bits']:.2f} of {row['clean_bits']:.2f} bit"
    )


def _percent(shift: float) -> str:
    return f"{100 * shift:.2g} %" if shift else "0"
