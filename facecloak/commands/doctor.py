"""``facecloak doctor``: what works on this machine, what does not, and what to do about it."""

import hashlib
import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from facecloak import __version__, app, endpoints, inference
from facecloak import settings as choices
from facecloak.capture.demo import FPS
from facecloak.commands import checks
from facecloak.commands.checks import Check, Machine, fault
from facecloak.core import artifacts, bank, modelcard
from facecloak.core.errors import ConfigError, DeviceError, FaceCloakError
from facecloak.core.types import Frame, Output
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.report import RunReport
from facecloak.pipeline.runner import run_file
from facecloak.settings import Settings
from facecloak.tailor.gradient import GradientModel
from facecloak.verify.onnx_judge import OnnxClassifier

logger = logging.getLogger(__name__)

FRAMES: Final = 10
"""How many frames of the demo portrait the self-test protects."""
_WORDS: Final = {"ok": "ok", "warning": "warn", "fault": "FAULT"}
_HINT: Final = (
    "All stages work, but the portrait's broad smile takes a higher --strength to be misread."
)
_FAILURES: Final = (FaceCloakError, OSError, ValueError, RuntimeError, ImportError)
"""What one check may raise without hiding the others."""

Examine = Callable[[Machine], Iterator[Check]]


def doctor(
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path,
    *,
    camera: bool = True,
    root: Path = Path("/"),
) -> Iterator[Check]:
    """Check one thing after the other; yields as it goes and raises nothing of FaceCloak's own.

    Args:
        options: settings of the command line; only those that were given.
        environment: such as ``os.environ``.
        file: the settings file; it may be missing.
        camera: open the camera, so that its light goes on.
        root: the root of the file system.
    """
    chosen = Settings()
    try:
        chosen = choices.load(options, environment, file)
        yield _valid(environment, file)
    except ConfigError as exc:
        yield fault("settings", exc, f"{exc.remedy} Until then, what follows is for the defaults.")
    except OSError as exc:
        yield _failed("settings", exc, ConfigError.exit_code)
    machine = Machine(settings=chosen, root=root, open_camera=camera)
    examinations: tuple[tuple[str, Examine, int], ...] = (
        ("driver", checks.driver, 3),
        ("label", checks.label, 3),
        ("caps", checks.caps, 3),
        ("readers", checks.readers, 3),
        ("camera", checks.camera, 3),
        ("model", models, 4),
        ("perturbation", pattern, 4),
        ("providers", providers, 3),
        ("self-test", self_test, 1),
    )
    for name, examine, exit_code in examinations:
        try:
            yield from examine(machine)
        except _FAILURES as exc:
            yield _failed(name, exc, exit_code)


def models(_machine: Machine) -> Iterator[Check]:
    """Whether each shipped classifier, and each gradient, opens and is the file on its card."""
    gradients = artifacts.gradients()
    for path in (*artifacts.models(), *gradients):
        try:
            kind = GradientModel if path in gradients else OnnxClassifier
            card = kind(path, "cpu").card
        except FaceCloakError as exc:
            yield fault("model", exc)
        else:
            yield Check("model", "ok", f"{path.name} is what its card says: sha256 {card.sha256}.")


def pattern(machine: Machine) -> Iterator[Check]:
    """Whether the perturbation opens and was made against classifiers that ship."""
    path = artifacts.perturbation(machine.settings.perturbation)
    header = bank.load(path).header
    there = [path.read_bytes() for path in (*artifacts.models(), *artifacts.surrogates())]
    whole = {hashlib.sha256(content).hexdigest() for content in there}
    strange = [
        f"{victim.name} ({victim.sha256[:12]})"
        for victim in header.victims
        if victim.sha256 not in whole
        and not any(modelcard.is_sealed(content, victim.sha256) for content in there)
    ]
    if strange:
        seen = f"{path.name} was made against {', '.join(strange)}, not the file that ships."
        remedy = "Reinstall FaceCloak, or make it again with `facecloak-train attack`."
        yield Check("perturbation", "warning", seen, remedy)
        return
    victims = ", ".join(victim.name for victim in header.victims) or "nothing"
    members = f"holds {1 + len(header.answers)} members, one of which {header.selector} chooses, "
    seen = (
        f"{path.name} opens, {members if header.answers else ''}reaches {header.eps:g} levels, "
        f"and was made against {victims}."
    )
    yield Check("perturbation", "ok", seen)


def providers(machine: Machine) -> Iterator[Check]:
    """Where the classifiers run, and why not elsewhere."""
    asked = machine.settings.device
    there = ", ".join(name.removesuffix("ExecutionProvider") for name in inference.providers())
    why_not = inference.why_no_cuda()
    seen = f"Device {asked} means %s. ONNX Runtime has {there}."
    if asked == "cpu":
        yield Check("providers", "ok", seen % "the CPU")
        return
    if asked == "auto" and why_not is not None:
        yield Check("providers", "ok", seen % f"the CPU, because {why_not}")
        return
    try:
        used = OnnxClassifier(artifacts.models()[0], asked).device
    except DeviceError as exc:
        why = f"{exc.what.removesuffix('.')}: {why_not or 'it does not start'}."
        yield fault("providers", DeviceError(why, exc.remedy))
        return
    if used == "cuda":
        yield Check("providers", "ok", seen % "CUDA")
        return
    what = seen % "the CPU, because CUDA does not start"
    yield Check("providers", "warning", what, f"{inference.INSTALL_CUDA}, or set device to cpu.")


def self_test(machine: Machine) -> Iterator[Check]:
    """Whether a real face comes out of the real pipeline protected, with the user's settings."""
    chosen = replace(machine.settings, source="demo", sink="null")
    source = endpoints.source(chosen, seconds=FRAMES / FPS)
    made = app.protection(chosen, live=False)
    raw: list[int] = []

    def observe(clean: Frame, protected: Protected) -> None:
        if np.array_equal(clean.image, protected.frame.image):
            raw.append(clean.index)

    report = run_file(source, endpoints.sink_of("null", source), made.protector, observe=observe)
    yield judged(report, raw=len(raw), unfooled=chosen.unfooled)


def judged(report: RunReport, *, raw: int, unfooled: str) -> Check:
    """What a self-test amounts to.

    Args:
        report: of its run.
        raw: how many frames went out as they came in.
        unfooled: what the settings say about a classifier that still reads the face.
    """
    cloaked = report.outputs[Output.CLOAKED.value]
    told = [
        f"{report.frames_out} of {FRAMES} frames went through, {cloaked} cloaked and {raw} raw",
        *(
            f"{name} fooled in {fooling.fooled} of {fooling.judged} readings"
            for name, fooling in report.classifiers.items()
        ),
    ]
    if "added" in report.stages:
        told.append(f"{report.stages['added']['p50_ms']:.0f} ms a frame with every frame judged")
    seen = "; ".join(told) + "."
    if raw or report.frames_out != FRAMES:
        remedy = "Do not use this installation: install FaceCloak again, and report this."
        return Check("self-test", "fault", seen, remedy, 1)
    if cloaked:
        fooled = sum(fooling.fooled for fooling in report.classifiers.values())
        return Check("self-test", "ok", seen, None if fooled else _HINT)
    if unfooled == "shield":
        remedy = "The slate is shown while a classifier reads the face: raise --strength."
        return Check("self-test", "warning", seen, remedy)
    remedy = "Run: facecloak doctor --debug, which names what fails; install FaceCloak again."
    return Check("self-test", "fault", seen, remedy, 1)


def heading(*, camera: bool) -> str:
    """What is examined, and that the camera's light will go on."""
    on = " ".join(filter(None, (platform.system(), platform.release(), platform.machine())))
    first = f"FaceCloak {__version__}, Python {platform.python_version()}, {on}"
    if not camera:
        return first
    light = "The camera is opened for a moment, and its light goes on (not with --no-camera)."
    return f"{first}\n{light}"


def line(check: Check) -> str:
    """One check as text, its remedy below."""
    told = f"{_WORDS[check.state]:<7}{check.name:<14}{' '.join(check.seen.split())}"
    return told if check.remedy is None else f"{told}\n{'':21}-> {check.remedy}"


def summary(found: Sequence[Check]) -> str:
    """The last line."""
    faults = [check.name for check in found if check.state == "fault"]
    warned = sum(check.state == "warning" for check in found)
    warnings = "1 warning" if warned == 1 else f"{warned} warnings"
    if not faults:
        return f"No fault, {warnings}."
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return f"{count} ({', '.join(faults)}), {warnings}."


def as_json(found: Sequence[Check]) -> dict[str, Any]:
    """All of it as plain JSON values; ``docs/formats.md`` describes them."""
    return {
        "version": __version__,
        "platform": {
            "system": platform.system(),
            "release": platform.release(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "checks": [
            {
                "name": check.name,
                "state": check.state,
                "seen": check.seen,
                "remedy": check.remedy,
            }
            for check in found
        ],
    }


def exit_code(found: Sequence[Check]) -> int:
    """That of the gravest fault, which is the highest; 0 without a fault."""
    return max((check.exit_code for check in found), default=0)


def _valid(environment: Mapping[str, str], file: Path) -> Check:
    given = [
        name
        for field in Settings.__dataclass_fields__
        if environment.get(name := choices.PREFIX + field.upper())
    ]
    also = f" The environment sets {', '.join(given)}." if given else ""
    if file.is_file():
        return Check("settings", "ok", f"{file} can be used.{also}")
    if os.path.lexists(file):
        seen = f"{file} is no file that can be read, and is passed over.{also}"
        return Check("settings", "warning", seen, "Write the settings into a file of that name.")
    return Check("settings", "ok", f"There is no {file}, so the defaults hold.{also}")


def _failed(name: str, found: Exception, exit_code: int) -> Check:
    """A check that raised instead of telling."""
    logger.debug("details", exc_info=found)
    if isinstance(found, FaceCloakError):
        return fault(name, found, found.remedy or "Run it again with --debug.")
    seen = f"This check itself failed ({type(found).__name__}: {found})."
    return Check(name, "fault", seen, "Run it again with --debug, and report it.", exit_code)
