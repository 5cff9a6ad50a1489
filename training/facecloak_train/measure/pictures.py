"""Figures as pictures, drawn by matplotlib without a window."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

_DPI = 130
_LOWEST: Final = 50.0
"""Percent from which on learning is drawn: below it lie the first epochs alone."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What one panel of a picture shows.

    Attributes:
        title: what stands above.
        lines: points by name, in percent.
        bars: what is asked for, by name, on the scale of one axis; drawn dotted.
    """

    title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    bars: Mapping[str, float]


def curves(
    path: Path,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    start: tuple[float, float],
    labels: tuple[str, str],
) -> None:
    """One line for each name, all from ``start`` on, with a scale that shows small steps, too.

    Names of more than six lines stand beside the picture; from the eleventh on lines are dashed,
    because the colours come again.

    Args:
        path: the .png to write.
        lines: points by name.
        start: the point that all have in common.
        labels: of the two axes.
    """
    many = len(lines) > 6
    figure = Figure(figsize=(8.5 if many else 6, 4), layout="constrained")
    axes = figure.subplots()
    for number, (name, points) in enumerate(lines.items()):
        dashes = "-" if number < 10 else "--"
        axes.plot(*zip(start, *points, strict=True), dashes, marker="o", label=name)
    axes.set_xscale("symlog", linthresh=2.0)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    ticks = sorted({start[0], *(x for points in lines.values() for x, _ in points)})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(alpha=0.3)
    if many:
        figure.legend(loc="outside right upper", fontsize="small")
    else:
        axes.legend()
    figure.savefig(path, dpi=_DPI)


def learning(path: Path, panels: Sequence[Panel], labels: tuple[str, str]) -> None:
    """One panel below the other, each with its names beside it; the best of each line is marked.

    What lies below half is cut off where anything lies above, because runs differ by a point or two
    near their ends.

    Args:
        path: the .png to write.
        panels: one or more, of at least one line each.
        labels: of the two axes, which all panels share.
    """
    figure = Figure(figsize=(9, 0.6 + 3.1 * len(panels)), layout="constrained")
    rows = figure.subplots(len(panels), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, panel in zip(rows, panels, strict=True):
        for number, (name, points) in enumerate(panel.lines.items()):
            dashes = "-" if number < 10 else "--"
            axes.plot(*zip(*points, strict=True), dashes, linewidth=1.3, label=name)
            best = max(points, key=lambda point: point[1])
            axes.plot(*best, "o", markersize=5, color=axes.lines[-1].get_color())
        for name, bar in panel.bars.items():
            axes.axhline(bar, color="black", linestyle=":", label=name)
        axes.set_title(panel.title)
        axes.set_ylabel(labels[1])
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    reached = [value for panel in panels for points in panel.lines.values() for _, value in points]
    rows[0].set_xlim(left=0)
    rows[0].set_ylim(bottom=_LOWEST if max(reached) > _LOWEST else 0.0)
    rows[-1].set_xlabel(labels[0])
    figure.savefig(path, dpi=_DPI)


def rates(path: Path, rows: Sequence[Mapping[str, Any]], kinds: tuple[str, str]) -> None:
    """How many faces are fooled after each leg, by classifier; a panel for each strength.

    Args:
        path: the .png to write.
        rows: of an ``evaluate`` report.
        kinds: the perturbation, drawn with its intervals, and what it is held against, dashed.
    """
    strengths = list(dict.fromkeys(row["strength"] for row in rows))
    legs = list(dict.fromkeys(row["leg"] for row in rows))
    width = 2.5 + len(strengths) * max(3.0, 0.6 * len(legs))
    figure = Figure(figsize=(width, 5), layout="constrained")
    panels = figure.subplots(1, len(strengths), sharey=True, squeeze=False)[0]
    for axes, strength in zip(panels, strengths, strict=True):
        lines: dict[tuple[str, str], list[tuple[float, ...]]] = {}
        for row in rows:
            if (row["strength"], row["perturbation"] in kinds) == (strength, True) and row["faces"]:
                rate, low, high = (100.0 * row[key] for key in ("fooling_rate", "low", "high"))
                points = lines.setdefault((row["classifier"], row["perturbation"]), [])
                points.append((legs.index(row["leg"]), rate, rate - low, high - rate))
        names = list(dict.fromkeys(name for name, _ in lines))
        for (name, kind), points in lines.items():
            at, rate, below, above = zip(*points, strict=True)
            look: dict[str, Any] = {"color": f"C{names.index(name)}", "marker": "o"}
            if kind == kinds[0]:
                axes.errorbar(at, rate, yerr=(below, above), capsize=2, label=name, **look)
            else:
                axes.plot(at, rate, "--", markersize=3, alpha=0.6, **look)
        axes.set_xticks(range(len(legs)), legs, rotation=45, ha="right")
        axes.set_title(f"strength {strength:g}")
        axes.set_ylim(0, 100)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel(f"fooled, % (dashed: {kinds[1]})")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=_DPI)


def prices(path: Path, panels: Sequence[Panel], labels: tuple[str, str]) -> None:
    """What is had for what it costs: as many panels below as beside one another.

    Args:
        path: the .png to write.
        panels: one or more, points from cheap to dear; their bars are marks on the axis of costs.
        labels: of the two axes, which all panels share.
    """
    columns = math.ceil(math.sqrt(len(panels)))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(2.5 + 3.0 * columns, 0.5 + 3.2 * rows), layout="constrained")
    every = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, panel in zip(every.flat, panels, strict=False):
        for name, points in panel.lines.items():
            axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name)
        for name, bar in panel.bars.items():
            axes.axvline(bar, color="black", linestyle=":", label=name)
        axes.set_title(panel.title)
        axes.grid(alpha=0.3)
    for axes in every.flat[len(panels) :]:
        axes.set_axis_off()
    every[0, 0].set_xlim(left=0)
    every[0, 0].set_ylim(0, 100)
    figure.supxlabel(labels[0])
    figure.supylabel(labels[1])
    figure.legend(*every[0, 0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=_DPI)


def standings(
    path: Path,
    measured: Mapping[str, tuple[float, ...]],
    marks: Mapping[str, Mapping[str, float]],
    label: str,
) -> None:
    """One row for each system: what was measured, with its interval if any, and marks of others.

    Args:
        path: the .png to write.
        measured: value, and both ends of its interval where there is one, by system.
        marks: by kind of mark, values of some of the systems.
        label: of the axis.
    """
    figure = Figure(figsize=(7, 1.2 + 0.45 * len(measured)), layout="constrained")
    axes = figure.subplots()
    rows = {name: row for row, name in enumerate(measured)}
    for length, kind in ((3, "measured, 95 %"), (1, "measured")):
        alike = {name: told for name, told in measured.items() if len(told) == length}
        if alike:
            values = np.array([*alike.values()])
            spread = np.abs(values[:, 1:] - values[:, :1]).T if length > 1 else None
            at = [rows[name] for name in alike]
            axes.errorbar(values[:, 0], at, xerr=spread, fmt="C0o", capsize=3, label=kind)
    for (kind, known), shape in zip(marks.items(), "|dx", strict=False):
        there = [name for name in known if name in rows]
        axes.scatter(
            [known[name] for name in there],
            [rows[name] for name in there],
            marker=shape,
            s=90,
            label=kind,
            color="black" if shape == "|" else "tab:orange",
        )
    axes.set_yticks([*rows.values()], [*rows])
    axes.invert_yaxis()
    axes.margins(y=0.2)
    axes.set_xlabel(label)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=3, fontsize="small")
    figure.savefig(path, dpi=_DPI)


def confusion(path: Path, counts: NDArray[np.int64], classes: Sequence[str], title: str) -> None:
    """A confusion matrix in percent of each true class.

    Args:
        path: the .png to write.
        counts: ``int64[C, C]``, true class by predicted class.
        classes: their names.
        title: what stands above.
    """
    share = 100.0 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(5.6, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(share):
        colour = "white" if value > 50 else "black"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour)
    names = range(len(classes))
    axes.set_xticks(names, classes, rotation=45, ha="right")
    axes.set_yticks(
        names, [f"{name} ({n})" for name, n in zip(classes, counts.sum(1), strict=True)]
    )
    axes.set_xlabel("read as, %")
    axes.set_ylabel("true class (faces)")
    axes.set_title(title)
    figure.savefig(path, dpi=_DPI)


def reliability(path: Path, bins: Sequence[Mapping[str, Any]], title: str) -> None:
    """How often a classifier is right where it is so sure, and how many faces that are.

    Args:
        path: the .png to write.
        bins: ``low``, ``high``, ``confidence``, ``accuracy`` and ``faces`` of each.
        title: what stands above.
    """
    figure = Figure(figsize=(5, 5), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    full = [one for one in bins if one["faces"]]
    above.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as sure as right")
    above.plot([one["confidence"] for one in full], [one["accuracy"] for one in full], marker="o")
    above.set_ylabel("share that is right")
    above.set_ylim(0, 1)
    above.legend()
    above.set_title(title)
    widths = [one["high"] - one["low"] for one in bins]
    below.bar([one["low"] for one in bins], [one["faces"] for one in bins], widths, align="edge")
    below.set_xlabel("confidence")
    below.set_ylabel("faces")
    below.set_xlim(0, 1)
    figure.savefig(path, dpi=_DPI)
