"""``facecloak calibrate``: fit the perturbation to one's own face.

No frame is written: crops of the face stay in memory until the command ends. What is written is a
perturbation, ``personal``, in the user's data folder. It holds no picture, but a pattern that was
made from a face is personal data: only the user may read the file, and ``--forget`` deletes it.
"""

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from facecloak import app, endpoints
from facecloak.calibrate.fitting import Fit, fit
from facecloak.calibrate.gathering import gather
from facecloak.calibrate.members import by_member, together
from facecloak.calibrate.refining import Found, refine
from facecloak.commands.live import signals_set
from facecloak.core import artifacts, bank
from facecloak.core.bank import Bank
from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import ANY, Victim
from facecloak.settings import Settings

logger = logging.getLogger(__name__)

NAME: Final = "personal"
"""What the result is called, for ``--perturbation`` and in the window."""
_OWN: Final = "your own face"
_SAY_EVERY_S: Final = 5.0
_LOOKING_SHARE: Final = 0.75
"""Looking may take this share of the whole time."""
_WORKING_SHARE: Final = 0.93
"""All may be over after this share of it: a slow machine needs the rest to start and to end."""
_MOST_RESERVED: Final = 0.25
_READABLE_BY_USER: Final = 0o600


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a calibration came to.

    Attributes:
        fits: what was refined, and by how much it helps: the members of the bank, by their labels.
        people: how many faces were followed.
        begun_with: name of the perturbation from before.
        path: where the personal one was written; None where the one from before is as good.
    """

    fits: Mapping[str, Fit]
    people: int
    begun_with: str
    path: Path | None


def calibrate(
    settings: Settings, *, seconds: float, minutes: float, clock: Clock = monotonic
) -> Calibrated:
    """Look at the source, refine the perturbation, and write it where that helps.

    Ctrl-C while it refines ends that early with what was found; before, it leaves nothing.

    Args:
        settings: source, strength, device and perturbation are used. Of the personal perturbation
            itself the default one is refined: a calibration begins anew.
        seconds: how long to look.
        minutes: how long it may take in all.
        clock: in seconds.

    Raises:
        FaceCloakError: something failed; nothing was written.
    """
    deadline_s = clock() + _WORKING_SHARE * 60.0 * minutes
    if seconds > _LOOKING_SHARE * 60.0 * minutes:
        msg = f"{seconds:g} seconds of {minutes:g} minutes leave no time to refine."
        raise ConfigError(msg, "Choose fewer --seconds or more --minutes.")
    begun_with = "default" if settings.perturbation == NAME else settings.perturbation
    given = bank.load(artifacts.perturbation(begun_with))
    cloak = app.compositor(settings)
    cloak(given.alone(ANY))  # says whether the strength is possible before a camera is opened
    judges, models = tuple(app.still_judges(settings)), app.gradients(settings)
    source = endpoints.source(settings, seconds=seconds)
    logger.info("looking at %s for %g s; no picture is kept", settings.source, seconds)
    with app.finder() as finder:
        sitting = gather(source, finder, name=settings.source, seconds=seconds)
    stop = threading.Event()
    fits = {}
    with signals_set(stop):
        parts = by_member(given, sitting.crops, judges)
        left = sum(len(crops) for crops in parts.values())
        for label, crops in parts.items():
            now_s = clock()
            spent = _Spent(now_s + (deadline_s - now_s) * len(crops) / left, stop, clock)
            left -= len(crops)
            logger.info("%s: %d pictures", label, len(crops))
            follow = partial(
                refine,
                models=models,
                strength=settings.strength,
                spent=spent,
                tell=_progress(spent, clock),
            )
            fits[label] = fit(given.alone(label), crops, judges, cloak, follow)
    if not any(one.found.steps for one in fits.values()) and not stop.is_set():
        msg = f"{minutes:g} minutes are over before anything could be refined."
        raise ConfigError(msg, "Choose more --minutes.")
    path = None
    if any(one.helped for one in fits.values()):
        path = artifacts.own_folder() / f"{NAME}.safetensors"
        command = (
            f"facecloak calibrate --source {settings.source} --seconds {seconds:g} "
            f"--minutes {minutes:g} --strength {settings.strength:g} --perturbation {begun_with}"
        )
        cards = [judge.card for judge in judges]
        _write(_signed(given, fits, begun_with, cards, command), path)
    return Calibrated(fits, sitting.people, begun_with, path)


def forget(chosen: str | None) -> str:
    """Delete the personal perturbation, and say so. Raises SinkUnavailable.

    Args:
        chosen: the perturbation that settings name; None where they cannot be read, which must keep
            nobody from it.
    """
    path = artifacts.own_folder() / f"{NAME}.safetensors"
    if not path.exists():
        return f"There is no {path}: nothing fitted to your face is kept."
    try:
        path.unlink()
    except OSError as exc:
        msg = f"{path} cannot be deleted: {exc.strerror}."
        raise SinkUnavailable(msg, "Delete the file yourself.") from exc
    said = f"{path} is deleted. Nothing fitted to your face is kept."
    if chosen == NAME:
        said += " Your settings still name it: choose another perturbation."
    return said


def story(told: Calibrated) -> str:
    """What the calibration came to, and what to do next."""
    fits = told.fits
    outcomes = together(fits, written=told.path is not None)
    lines = [
        f"Refined on {sum(one.refined_on for one in fits.values())} pictures of your face, "
        f"in {sum(one.found.steps for one in fits.values())} steps. Of the "
        f"{sum(one.held_out for one in fits.values())} later pictures that were held out",
        *(
            f"  {judge} misreads {100 * before.rate:.0f} % with {told.begun_with}, "
            f"{100 * after.rate:.0f} % with the refined one "
            f"(mean lead {before.lead:+.2f} -> {after.lead:+.2f})"
            for judge, (before, after) in outcomes.items()
        ),
    ]
    if len(fits) > 1 or ANY not in fits:
        gained = [label for label, one in fits.items() if one.helped]
        lines.append(
            f"What answers your face when it reads as {', '.join(fits)} was refined; "
            f"it is a gain for {', '.join(gained) or 'none'}."
        )
    if told.people > 1:
        lines.insert(0, f"{told.people} faces were followed; the one seen most was taken.")
    if told.path is None:
        lines.append(f"That is no gain, so {told.begun_with} stays and nothing was written.")
        return "\n".join(lines)
    lines += [
        f"Written to {told.path}",
        "It holds no picture, but it was made from your face: treat it as personal data.",
        "",
        f"  facecloak run --perturbation {NAME}     use it (the window lists it, too)",
        "  facecloak calibrate --forget            delete it",
    ]
    return "\n".join(lines)


class _Spent:
    """The share of the time to refine that is over.

    From when it is made to when it is first asked, the crops that are held out are read; as long,
    and half as long again, is left for reading them once more at the end, at most a quarter of
    the time that there is.

    Args:
        deadline_s: when all must be over.
        stop: ends it at once when set.
        clock: in seconds.
    """

    def __init__(self, deadline_s: float, stop: threading.Event, clock: Clock) -> None:
        self._deadline_s = deadline_s
        self._stop = stop
        self._clock = clock
        self._made_s = clock()
        self._began_s: float | None = None
        self.end_s = deadline_s

    def __call__(self) -> float:
        now_s = self._clock()
        if self._began_s is None:
            self._began_s = now_s
            left_s = self._deadline_s - now_s
            reserve_s = min(1.5 * (now_s - self._made_s), _MOST_RESERVED * left_s)
            self.end_s = self._deadline_s - reserve_s
        if self._stop.is_set() or now_s >= self.end_s:
            return 1.0
        return (now_s - self._began_s) / (self.end_s - self._began_s)


def _progress(spent: _Spent, clock: Clock) -> Callable[[Found], None]:
    """Says every few seconds how far refining has come."""
    said_s = clock()

    def tell(found: Found) -> None:
        nonlocal said_s
        now_s = clock()
        if now_s - said_s >= _SAY_EVERY_S:
            said_s = now_s
            logger.info(
                "refining: %d steps, %d s left; Ctrl-C takes it as it is",
                found.steps,
                max(0.0, spent.end_s - now_s),
            )

    return tell


def _signed(
    given: Bank, fits: Mapping[str, Fit], begun_with: str, cards: list[ModelCard], command: str
) -> Bank:
    """The bank with the members that gained, and a header that says how they came about."""
    refined_on = sum(one.refined_on for one in fits.values())
    held_out = sum(one.held_out for one in fits.values())
    judged = tuple(Victim(card.name, card.sha256) for card in cards)
    measured = {"refined_on": float(refined_on), "held_out": float(held_out)}
    for judge, outcomes in together(fits, written=True).items():
        for when, one in zip(("before", "after"), outcomes, strict=True):
            measured[f"{judge}_fooling_rate_{when}"] = one.rate
            measured[f"{judge}_lead_{when}"] = one.lead
    header = dataclasses.replace(
        given.header,
        method=f"ascent on pictures of one face, begun with {begun_with}",
        seed=0,
        datasets=(*given.header.datasets, f"{_OWN}, {refined_on} crops"),
        victims=judged + tuple(one for one in given.header.victims if one not in judged),
        command=command,
        measured=measured,
    )
    refined = {label: one.perturbation for label, one in fits.items() if one.helped}
    members = {
        label: dataclasses.replace(member, header=header)
        for label, member in {**given.members, **refined}.items()
    }
    return Bank(header, members)


def _write(personal: Bank, path: Path) -> None:
    """Write it in one step, for the user alone. Raises SinkUnavailable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        personal.save(path)
        path.chmod(_READABLE_BY_USER)
    except OSError as exc:
        msg = f"{path} cannot be written ({type(exc).__name__})."
        raise SinkUnavailable(msg, "Make room, or allow writing there.") from exc
    finally:
        with contextlib.suppress(OSError):
            path.with_name(path.name + ".part").unlink(missing_ok=True)
