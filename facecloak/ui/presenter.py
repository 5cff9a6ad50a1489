"""What a moment looks like in words: pure, so that every state can be tested without a window."""

from collections.abc import Callable
from dataclasses import dataclass

from facecloak.cloak.selector import OWN
from facecloak.core.perturbation import ANY
from facecloak.session.moment import Meter, Moment, Status

Say = Callable[[str], str]
"""Translates an English sentence, of the interface or of an error."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One meter.

    Attributes:
        title: the classifier's name.
        percent: share of readings that were fooled, 0 to 100.
        text: the same in words.
        readings: what it reads from the face before and after.
    """

    title: str
    percent: int
    text: str
    readings: str


@dataclass(frozen=True, slots=True)
class View:
    """A moment in words.

    Attributes:
        status: what colour and picture the tray has; "off" also while no picture comes, as the next
            one is shown as captured.
        headline: the status in a few words.
        detail: why, and what to do; empty where there is nothing to add.
        pattern: which expression the pattern is made against; empty where there is only one.
        figures: frame rate, delay, how visible the change is.
        bars: one for each classifier.
    """

    status: Status
    headline: str
    detail: str
    pattern: str
    figures: str
    bars: tuple[Bar, ...]


def present(moment: Moment, say: Say) -> View:
    """Put a moment into words.

    Args:
        moment: of the session.
        say: translates.
    """
    return View(
        status=moment.status if moment.protecting else Status.OFF,
        headline=_headline(moment, say),
        detail=_detail(moment, say),
        pattern=_pattern(moment, say),
        figures=_figures(moment, say),
        bars=tuple(_bar(meter, say) for meter in moment.meters),
    )


def _headline(moment: Moment, say: Say) -> str:
    if not moment.protecting and moment.status is not Status.OFF:
        return say("PROTECTION IS OFF: the call will see your face as it is")
    if moment.hidden:
        return say("Hidden: the camera is off")
    if moment.status is Status.WAITING and moment.problems:
        return say("Waiting: something does not work")
    return {
        Status.PROTECTED: say("Protected"),
        Status.SHIELDED: say("Shielded: the call sees a still picture"),
        Status.OFF: say("PROTECTION IS OFF: the call sees your face as it is"),
        Status.WAITING: say("Waiting: the camera is off until a call shows it"),
    }[moment.status]


def _detail(moment: Moment, say: Say) -> str:
    if moment.problems:
        lines = [f"{say(each.what)} {say(each.remedy)}".strip() for each in moment.problems]
        return "\n".join(dict.fromkeys(lines))  # once, where two parts have the same one
    if moment.hidden or moment.status in (Status.OFF, Status.WAITING):
        untold = moment.hidden and not moment.protecting  # as the headline tells the latter
        return say("Hidden: the camera is off") if untold else ""
    if moment.exhausted and any(meter.share < 0.5 for meter in moment.meters):
        return say("A classifier still reads this face, and nothing stronger is allowed.")
    if moment.raised:
        told = say("The strength was raised to {strength}, because a classifier read this face.")
        return told.format(strength=f"{moment.strength:.2f}")
    if moment.status is Status.SHIELDED and not moment.faces:
        return say("No face is found.")
    return ""


def _pattern(moment: Moment, say: Say) -> str:
    if not moment.members:
        return ""
    if OWN in moment.members:
        return say("pattern fitted to the face")
    labels = [say("every expression") if one == ANY else say(one) for one in moment.members]
    return say("pattern against: {labels}").format(labels=", ".join(labels))


def _figures(moment: Moment, say: Say) -> str:
    parts = [say("{fps} frames per second").format(fps=f"{moment.fps:.0f}")]
    if moment.added_ms is not None:
        parts.append(say("{ms} ms delay").format(ms=f"{moment.added_ms:.1f}"))
    if moment.psnr_db is not None and moment.psnr_db != float("inf"):
        parts.append(say("{db} dB PSNR of the face").format(db=f"{moment.psnr_db:.1f}"))
    return " · ".join(parts)


def _bar(meter: Meter, say: Say) -> Bar:
    percent = round(100 * meter.share)
    told = say("fooled {percent} % of the last 10 s").format(percent=percent)
    arrow = say("reads {clean}, from what is sent {sent}")
    readings = arrow.format(
        clean=f"{say(meter.clean.label)} ({meter.clean.probability:.0%})",
        sent=f"{say(meter.cloaked.label)} ({meter.cloaked.probability:.0%})",
    )
    return Bar(meter.classifier, percent, told, readings)
