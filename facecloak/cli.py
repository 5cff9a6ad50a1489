"""The command line: options become ``Settings``, errors become one sentence and an exit code."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from facecloak import __version__, settings
from facecloak.core.errors import ConfigError, FaceCloakError

logger = logging.getLogger("facecloak")

EXITS = """\
exit codes: 0 done, 1 an error of FaceCloak itself, 2 options or settings, 3 a camera, file or
device, 4 a model or perturbation file, 130 stopped with Ctrl-C"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Belongs to the main thread: it sets a signal."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves nothing half-written either
    arguments = sys.argv[1:] if arguments is None else arguments
    with _told_on_stderr(debug="--debug" in arguments):
        return _outcome(arguments)


def _outcome(arguments: Sequence[str]) -> int:
    try:
        parsed = parser().parse_args(arguments)
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


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as every other error is said, without half a page of usage."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError."""
        what = f"{message[:1].upper()}{message[1:]}."
        raise ConfigError(what, f"See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="facecloak",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A real-time privacy filter for video calls.",
    )
    top.add_argument("--version", action="version", version=f"facecloak {__version__}")
    top.set_defaults(command=_window, exit_code=0)
    commands = top.add_subparsers(metavar="COMMAND", help="without one, the window opens")

    window = commands.add_parser("window", help="open the window, or only the tray")
    _window_options(window)
    hide = commands.add_parser("hide", help="hide me, or show me again, in the one that runs")
    hide.set_defaults(command=_hide)

    run = commands.add_parser("run", help="protect the webcam for a call")
    _run_options(run)

    protect = commands.add_parser("protect", help="protect a video or a picture")
    protect.set_defaults(command=_protect)
    protect.add_argument("source", metavar="IN", help="a video or a picture")
    protect.add_argument("out", metavar="OUT", type=Path, help="the file to write")
    protect.add_argument("--lossless", action="store_true", help="write FFV1 (.mkv) or PNG")
    protect.add_argument("--report", type=Path, help="write what was measured, as JSON")

    demo = commands.add_parser("demo", help="protect an animated portrait and show the result")
    demo.set_defaults(command=_demo)
    demo.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder (default: demo-output)"
    )
    demo.add_argument("--seconds", type=float, default=8.0, help="how long (default: 8)")

    bench = commands.add_parser("bench", help="measure milliseconds per stage on this machine")
    bench.set_defaults(command=_bench)
    bench.add_argument("--seconds", type=float, default=20.0, help="how long (default: 20)")
    bench.add_argument("--json", type=Path, help="write the figures as JSON too")

    devices = commands.add_parser("devices", help="list the cameras, and the virtual camera")
    devices.set_defaults(command=_devices)

    doctor = commands.add_parser("doctor", help="find what does not work here, and say what to do")
    _doctor_options(doctor)

    camera = commands.add_parser("camera", help='set up the driver of "FaceCloak Camera"')
    install, remove = _deeds(camera)

    for command in (top, window, hide, run, protect, demo, bench, doctor, devices, install, remove):
        command.add_argument(
            "--debug", action="store_true", help="show where an error came from, and all messages"
        )
    for name in ("width", "height"):
        bench.add_argument(f"--{name}", help=f"{name} of the frames")
    for command in (run, protect, demo, bench, doctor):
        command.add_argument("--strength", help="factor on the pattern, 0.25 to 2 (default: 1)")
        command.add_argument("--device", help="where the classifiers run: auto, cpu or cuda")
        command.add_argument("--perturbation", help="name of a shipped one, or a file")
    for command in (run, bench):
        command.add_argument("--judges", help="which classifiers look: fast (default) or all")
    for command in (run, protect):
        command.add_argument("--empty-room", help="shown when nobody is there: shield or pass")
        command.add_argument("--unfooled", help="when a classifier reads the face: tell or shield")
        command.epilog = f"Settings file: {settings.config_file()}"
    return top


def _window_options(window: argparse.ArgumentParser) -> None:
    window.set_defaults(command=_window)
    window.add_argument("--source", help="camera number, /dev/videoN, a file, or demo")
    window.add_argument("--start-in", help="window or tray")


def _run_options(run: argparse.ArgumentParser) -> None:
    run.set_defaults(command=_run)
    run.add_argument("--source", help="camera number, /dev/videoN, a file, or demo (default: 0)")
    run.add_argument(
        "--sink",
        help="virtual, preview, null, - for yuv4mpeg on standard output, or "
        "a file (default: virtual)",
    )
    run.add_argument("--seconds", type=float, help="stop after so long")
    run.add_argument(
        "--camera-on", help="watched, that is while a call shows it (default on Linux), or always"
    )
    for name in ("width", "height", "fps"):
        run.add_argument(f"--{name}", help=f"{name} asked of the camera")


def _doctor_options(doctor: argparse.ArgumentParser) -> None:
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--source", help="camera number, /dev/videoN, a file, or demo (default: 0)")
    doctor.add_argument(
        "--no-camera", dest="camera", action="store_false", help="leave its light off"
    )
    doctor.add_argument("--json", action="store_true", help="tell it as JSON")


def _deeds(camera: argparse.ArgumentParser) -> tuple[argparse.ArgumentParser, ...]:
    deeds = camera.add_subparsers(required=True, metavar="DEED")
    install = deeds.add_parser("install", help="say, or do, what makes the virtual camera")
    remove = deeds.add_parser("remove", help="say, or do, what takes it away again")
    for deed in (install, remove):
        deed.set_defaults(command=_camera, deed=deed.prog.split()[-1])
        deed.add_argument("--apply", action="store_true", help="do it, as root through sudo")
    return install, remove


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
