"""What can be typed: every command and its options, with what ``--help`` says of them."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from facecloak import __version__, settings
from facecloak.core.errors import ConfigError

Command = Callable[[argparse.Namespace], None]

EXITS = """\
exit codes: 0 done, 1 an error of FaceCloak itself, 2 options or settings, 3 a camera, file or
device, 4 a model or perturbation file, 130 stopped with Ctrl-C"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as every other error is said, without half a page of usage."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError."""
        what = f"{message[:1].upper()}{message[1:]}."
        raise ConfigError(what, f"See: {self.prog} --help")


def parser(does: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The whole command line.

    Args:
        does: what each command does with what was given, by its name.
    """
    top = _Parser(
        prog="facecloak",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A real-time privacy filter for video calls.",
    )
    top.add_argument("--version", action="version", version=f"facecloak {__version__}")
    top.set_defaults(command=does["window"], exit_code=0)
    commands = top.add_subparsers(metavar="COMMAND", help="without one, the window opens")

    window = commands.add_parser("window", help="open the window, or only the tray")
    _window_options(window, does)
    hide = commands.add_parser("hide", help="hide me, or show me again, in the one that runs")
    hide.set_defaults(command=does["hide"])

    run = commands.add_parser("run", help="protect the webcam for a call")
    _run_options(run, does)

    protect = commands.add_parser("protect", help="protect a video or a picture")
    _protect_options(protect, does)

    demo = commands.add_parser("demo", help="protect an animated portrait and show the result")
    demo.set_defaults(command=does["demo"])
    demo.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder (default: demo-output)"
    )
    demo.add_argument("--seconds", type=float, default=8.0, help="how long (default: 8)")

    bench = commands.add_parser("bench", help="measure milliseconds per stage on this machine")
    bench.set_defaults(command=does["bench"])
    bench.add_argument("--seconds", type=float, default=20.0, help="how long (default: 20)")
    bench.add_argument("--json", type=Path, help="write the figures as JSON too")

    calibrate = _calibrate_options(
        commands.add_parser("calibrate", help="fit the perturbation to your own face"), does
    )

    devices = commands.add_parser("devices", help="list the cameras, and the virtual camera")
    devices.set_defaults(command=does["devices"])

    doctor = commands.add_parser("doctor", help="find what does not work here, and say what to do")
    _doctor_options(doctor, does)

    camera = commands.add_parser("camera", help='set up the driver of "FaceCloak Camera"')
    install, remove = _deeds(camera, does)

    plain = (top, window, hide, devices, install, remove)
    for command in (*plain, run, protect, demo, bench, doctor, calibrate):
        command.add_argument(
            "--debug", action="store_true", help="show where an error came from, and all messages"
        )
    for name in ("width", "height"):
        bench.add_argument(f"--{name}", help=f"{name} of the frames")
    for command in (run, protect, demo, bench, doctor, calibrate):
        command.add_argument("--strength", help="factor on the pattern, 0.25 to 2 (default: 1)")
        command.add_argument("--device", help="where the classifiers run: auto, cpu or cuda")
        command.add_argument("--perturbation", help="name of a shipped one, or a file")
    for command in (run, protect, demo, bench):
        command.add_argument(
            "--tailor", help="fit it to each face that is seen: on (default) or off"
        )
    for command in (run, bench):
        command.add_argument("--judges", help="which classifiers look: fast (default) or all")
    for command in (run, protect):
        command.add_argument("--empty-room", help="shown when nobody is there: shield or pass")
        command.add_argument("--unfooled", help="when a classifier reads the face: tell or shield")
        command.epilog = f"Settings file: {settings.config_file()}"
    return top


def _window_options(window: argparse.ArgumentParser, does: Mapping[str, Command]) -> None:
    window.set_defaults(command=does["window"])
    window.add_argument("--source", help="camera number, /dev/videoN, a file, or demo")
    window.add_argument("--start-in", help="window or tray")


def _protect_options(protect: argparse.ArgumentParser, does: Mapping[str, Command]) -> None:
    protect.set_defaults(command=does["protect"])
    protect.add_argument("source", metavar="IN", help="a video or a picture")
    protect.add_argument("out", metavar="OUT", type=Path, help="the file to write")
    protect.add_argument("--lossless", action="store_true", help="write FFV1 (.mkv) or PNG")
    protect.add_argument("--report", type=Path, help="write what was measured, as JSON")


def _run_options(run: argparse.ArgumentParser, does: Mapping[str, Command]) -> None:
    run.set_defaults(command=does["run"])
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


def _calibrate_options(
    calibrate: argparse.ArgumentParser, does: Mapping[str, Command]
) -> argparse.ArgumentParser:
    calibrate.set_defaults(command=does["calibrate"])
    calibrate.add_argument(
        "--source", help="camera number, /dev/videoN, a file, or demo (default: 0)"
    )
    calibrate.add_argument(
        "--seconds", type=float, default=20.0, help="how long to look at you (default: 20)"
    )
    calibrate.add_argument(
        "--minutes", type=float, default=2.0, help="how long it may take in all (default: 2)"
    )
    calibrate.add_argument(
        "--forget", action="store_true", help="delete what was fitted to your face, and do no more"
    )
    calibrate.epilog = f"Settings file: {settings.config_file()}"
    return calibrate


def _doctor_options(doctor: argparse.ArgumentParser, does: Mapping[str, Command]) -> None:
    doctor.set_defaults(command=does["doctor"])
    doctor.add_argument("--source", help="camera number, /dev/videoN, a file, or demo (default: 0)")
    doctor.add_argument(
        "--no-camera", dest="camera", action="store_false", help="leave its light off"
    )
    doctor.add_argument("--json", action="store_true", help="tell it as JSON")


def _deeds(
    camera: argparse.ArgumentParser, does: Mapping[str, Command]
) -> tuple[argparse.ArgumentParser, ...]:
    deeds = camera.add_subparsers(required=True, metavar="DEED")
    install = deeds.add_parser("install", help="say, or do, what makes the virtual camera")
    remove = deeds.add_parser("remove", help="say, or do, what takes it away again")
    for deed in (install, remove):
        deed.set_defaults(command=does["camera"], deed=deed.prog.split()[-1])
        deed.add_argument("--apply", action="store_true", help="do it, as root through sudo")
    return install, remove
