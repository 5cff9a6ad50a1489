"""Reports in words, for a terminal."""

from collections.abc import Mapping
from typing import Any, Final

from facecloak.cloak.dose import MAX_STRENGTH
from facecloak.pipeline.report import RunReport

_MOSTLY: Final = 0.5
"""Who is fooled less often reads a face as before, mostly."""


def summary(report: RunReport) -> str:
    """A run in a few lines."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.outputs.items() if count)
    lines = [
        f"{report.frames_out} frames in {report.seconds:.1f} s ({kinds or 'none'}), "
        f"{report.dropped} dropped, {report.faces} {'face' if report.faces == 1 else 'faces'}."
    ]
    lines += [
        f"{name}: fooled in {fooling.fooled} of {fooling.judged} readings "
        f"({100 * fooling.rate:.0f} %)."
        for name, fooling in report.classifiers.items()
    ]
    return "\n".join(lines)


def stage_table(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Milliseconds per stage as a Markdown table."""
    rows = ["| stage | p50 ms | p95 ms | p99 ms | count |", "|---|---|---|---|---|"]
    rows += [
        f"| {name} | {row['p50_ms']:.2f} | {row['p95_ms']:.2f} | {row['p99_ms']:.2f} "
        f"| {row['count']:.0f} |"
        for name, row in stages.items()
    ]
    return "\n".join(rows)


def file_summary(report: Mapping[str, Any]) -> str:
    """A measured file in a few lines."""
    frames, face = report["frames"], report["face"]
    kinds = {
        "cloaked": frames["cloaked"],
        "shielded": frames["held"] + frames["shield"],
        "untouched": frames["untouched"],
        "unprotected (switched off)": frames.get("off", 0),
    }
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count) or "none"
    lines = [f"{frames['out']} frames: {told}."]
    if not frames["cloaked"]:
        lines.append("No face was cloaked." if report["faces"] else "No face was found.")
    elif face["psnr_db"] is not None:
        similarity = "" if face["ssim"] is None else f", SSIM {face['ssim']:.3f}"
        shift = report["displacement"]["shift"]
        moved = f" on top of a shift of at most {100 * shift:.2g} % of its width" if shift else ""
        lines.append(
            f"Face: PSNR {face['psnr_db']:.1f} dB{similarity}; "
            f"changed by at most {report['largest_change_levels']['faces']} of 255 levels "
            f"(promised: {report['budget_levels']}){moved}."
        )
    members: Mapping[str, float] = report["members"]
    if len(members) > 1:
        shares = ", ".join(f"{label} {100 * share:.0f} %" for label, share in members.items())
        lines.append(f"Perturbations: {shares} of the faces.")
    lines += [
        f"{name}: fooled in {100 * row['fooling_rate']:.0f} % of {row['judged']} readings."
        for name, row in report["classifiers"].items()
    ]
    lines += _still_read(report)
    return "\n".join(lines)


def _still_read(report: Mapping[str, Any]) -> list[str]:
    """What to do about classifiers of still faces that are mostly right.

    More strength does not help against those of clips.
    """
    right = [
        name
        for name, row in report["classifiers"].items()
        if row["judged"] and row["fooling_rate"] < _MOSTLY and report["models"][name]["frames"] == 1
    ]
    if not right or report["strength"] >= MAX_STRENGTH:
        return []
    more = f"a --strength of more than {report['strength']:g}, up to {MAX_STRENGTH:g}"
    return [f"Still read as before, mostly: by {' and '.join(right)}. Try {more}."]
