"""The command line: options become ``Settings``, errors become one sentence and an exit code."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from facecloak import settings
from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak.options import parser

logger = logging.getLogger("facecloak")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Belongs to the main thread: it sets a signal."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves nothing half-written either
    arguments = sys.argv[1:] if arguments is None else arguments
    with _told_on_stderr(debug="--debug" in arguments):
        return _outcome(arguments)


def _outcome(arguments: Sequence[str]) -> int:
    try:
        parsed = parser(COMMANDS).parse_args(arguments)
        parsed.command(parsed)
    except FaceCloakError as exc:
        return _failed(exc, str(exc), exc.exit_code)
    except KeyboardInterrupt as exc:
        return _failed(exc, "stopped", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush
        return 0
    except Exception as exc:  # noqa: BLE001 - the outermost boundary: no traceback for users
        what = f"an error of FaceCloak itself ({type(exc).__name__}); run it again with --debug"
        return _failed(exc, what, 1)
    return int(parsed.exit_code)


def _failed(exc: BaseException, what: str, code: int) -> int:
    logger.debug("details", exc_info=exc)
    logger.error("%s", what)
    return code


@contextmanager
def _told_on_stderr(*, debug: bool) -> Iterator[None]:
    """Let standard error carry FaceCloak's own sentences, and with ``debug`` everything.

    MediaPipe, OpenCV, libpng and ffmpeg print to the file itself, past ``sys.stderr``; what matters
    of it is told as a FaceCloakError.
    """
    try:
        saved = os.dup(2)
    except OSError:  # started without one
        saved = os.open(os.devnull, os.O_WRONLY)
    with open(saved, "w", encoding="utf-8", errors="replace") as stderr:  # noqa: PTH123
        handler = logging.StreamHandler(stderr)
        handler.setFormatter(logging.Formatter("facecloak: %(message)s"))
        level = logger.level
        logger.setLevel(logging.DEBUG if debug else logging.INFO)
        if not debug:
            handler.addFilter(logging.Filter(logger.name))
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), 2)
        logging.root.addHandler(handler)
        try:
            yield
        finally:
            logging.root.removeHandler(handler)
            logger.setLevel(level)
            os.dup2(saved, 2)


def _settings(parsed: argparse.Namespace, **fixed: Any) -> settings.Settings:  # noqa: ANN401
    return settings.load(_given(parsed) | fixed, os.environ, settings.config_file())


def _given(parsed: argparse.Namespace) -> dict[str, Any]:
    """The settings among the options."""
    names = settings.Settings.__dataclass_fields__
    return {
        name: value for name, value in vars(parsed).items() if name in names and value is not None
    }


def _window(parsed: argparse.Namespace) -> None:
    from facecloak.commands.window import window

    window(_given(parsed), os.environ, settings.config_file())


def _hide(_parsed: argparse.Namespace) -> None:
    from facecloak.commands.hide import hide

    hide()


def _run(parsed: argparse.Namespace) -> None:
    from facecloak.commands.live import run

    run(_settings(parsed), seconds=_positive("--seconds", parsed.seconds))


def _protect(parsed: argparse.Namespace) -> None:
    from facecloak.commands.protect import protect
    from facecloak.commands.telling import file_summary

    told = protect(_settings(parsed), parsed.out, lossless=parsed.lossless, report_to=parsed.report)
    _say(file_summary(told))


def _demo(parsed: argparse.Namespace) -> None:
    from facecloak.commands.demo import demo, story

    seconds = _positive("--seconds", parsed.seconds) or 8.0
    _say(story(demo(_settings(parsed, source="demo"), parsed.out, seconds=seconds), parsed.out))


def _calibrate(parsed: argparse.Namespace) -> None:
    from facecloak.commands import calibrate

    if parsed.forget:
        try:
            named = _settings(parsed).perturbation
        except ConfigError:
            named = None
        _say(calibrate.forget(named))
        return
    chosen = _settings(parsed)
    seconds = _positive("--seconds", parsed.seconds) or 20.0
    minutes = _positive("--minutes", parsed.minutes) or 2.0
    _say(calibrate.story(calibrate.calibrate(chosen, seconds=seconds, minutes=minutes)))


def _bench(parsed: argparse.Namespace) -> None:
    from facecloak.commands.bench import bench, table
    from facecloak.commands.protect import check_folder, write_json

    seconds = _positive("--seconds", parsed.seconds) or 20.0
    if parsed.json is not None:
        check_folder(parsed.json)
    result = bench(_settings(parsed, source="demo", sink="null"), seconds=seconds)
    if parsed.json is not None:
        write_json(parsed.json, result)
    _say(table(result))
    _say(json.dumps(result, indent=2))


def _doctor(parsed: argparse.Namespace) -> None:
    from facecloak.commands import doctor

    if not parsed.debug:
        logger.setLevel(logging.ERROR)  # what a check sees is told by it
    found = []
    if not parsed.json:
        _say(doctor.heading(camera=parsed.camera))
    examined = doctor.doctor(
        _given(parsed), os.environ, settings.config_file(), camera=parsed.camera
    )
    for check in examined:
        found.append(check)
        if not parsed.json:
            _say(doctor.line(check))
    _say(json.dumps(doctor.as_json(found), indent=2) if parsed.json else doctor.summary(found))
    parsed.exit_code = doctor.exit_code(found)


def _devices(_parsed: argparse.Namespace) -> None:
    from facecloak.commands.devices import devices

    _say(devices())


def _camera(parsed: argparse.Namespace) -> None:
    from facecloak.commands.camera import camera

    for line in camera(parsed.deed, apply=parsed.apply):
        _say(line)


def _positive(option: str, seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < float("inf"):
        msg = f"{option} {seconds:g} is not a positive number of seconds."
        raise ConfigError(msg, "Give how many seconds it shall last.")
    return seconds


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the one place that writes to standard output


COMMANDS: Final = {
    "window": _window,
    "hide": _hide,
    "run": _run,
    "protect": _protect,
    "demo": _demo,
    "calibrate": _calibrate,
    "bench": _bench,
    "doctor": _doctor,
    "devices": _devices,
    "camera": _camera,
}
"""What each command does with what was given."""
