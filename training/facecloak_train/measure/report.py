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


def _percent(shift: float) -> str:
    return f"{100 * shift:.2g} %" if shift else "0"
