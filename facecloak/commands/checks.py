"""What ``facecloak doctor`` looks at on the machine: the virtual camera and the real one."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from facecloak.capture import CameraSource
from facecloak.capture.listing import Camera, cameras
from facecloak.core.errors import DeviceError, FaceCloakError, SourceUnavailable
from facecloak.settings import Settings
from facecloak.sink import driver as setup
from facecloak.sink import loopback
from facecloak.sink.loopback import LABEL, find_device

_VIRTUAL: Final = (LABEL, "OBS Virtual Camera", "Unity Video Capture")
"""What a virtual camera may be called, the best name first."""
_APPLY: Final = "facecloak camera install --apply"
_NOBODY: Final = "Not checked: there is no virtual camera."


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is; the same in every version.
        state: whether it is as it should be.
        seen: what was seen, in one sentence.
        remedy: what to do about it; every fault has one.
        exit_code: of its class of error; 0 unless it is a fault.
    """

    name: str
    state: Literal["ok", "warning", "fault"]
    seen: str
    remedy: str | None = None
    exit_code: int = 0


def fault(name: str, found: FaceCloakError, remedy: str | None = None) -> Check:
    """An error as a check; ``remedy`` takes the place of its own."""
    return Check(name, "fault", found.what, remedy or found.remedy, found.exit_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is examined.

    Attributes:
        settings: what the user chose.
        root: the root of the file system.
        open_camera: take a picture with the camera, so that its light goes on.
    """

    settings: Settings
    root: Path = Path("/")
    open_camera: bool = True

    @property
    def sysfs(self) -> Path:
        """Where Linux lists video devices."""
        return self.root / "sys/class/video4linux"

    @property
    def virtual(self) -> Path | None:
        """On Linux the device of the virtual camera, such as ``/dev/video9``."""
        if platform.system() != "Linux":
            return None
        if self.settings.sink.startswith("/dev/video"):
            named = Path(self.settings.sink)
            return named if (self.sysfs / named.name).exists() else None
        return find_device(self.sysfs)

    def lacks(self, name: str, what: str, remedy: str) -> Check:
        """Something that the virtual camera lacks: no fault where the settings use another sink."""
        if self.settings.sink == "virtual" or self.settings.sink.startswith("/dev/video"):
            return fault(name, DeviceError(what, remedy))
        return Check(name, "warning", what, remedy)


def driver(machine: Machine) -> Iterator[Check]:
    """Whether the driver of the virtual camera is there."""
    if platform.system() != "Linux":
        listed = _listed_elsewhere()
        if listed is None:
            what = f"No virtual camera is listed: neither {' nor '.join(_VIRTUAL)}."
            yield machine.lacks("driver", what, _how_to_set_up(machine.root))
        else:
            yield Check("driver", "ok", f"A virtual camera is listed: {listed}.")
        return
    module = machine.root / "sys/module/v4l2loopback"
    if not module.exists():
        what = "The driver v4l2loopback is not loaded."
        yield machine.lacks("driver", what, _how_to_set_up(machine.root))
        return
    version = _text(module / "version") or "of an unknown version"
    yield Check("driver", "ok", f"The driver v4l2loopback {version} is loaded.")


def label(machine: Machine) -> Iterator[Check]:
    """Whether calls list the virtual camera under our name."""
    if platform.system() != "Linux":
        yield _label_elsewhere()
    elif machine.settings.sink.startswith("/dev/video"):
        yield _label_of_the_named(machine)
    elif machine.virtual is not None:
        yield Check("label", "ok", f'"{LABEL}" is {machine.virtual}.')
    elif not (machine.root / "sys/module/v4l2loopback").exists():
        yield Check("label", "warning", "Not checked: the driver is not loaded.")
    else:
        there = sorted(filter(None, map(_text, machine.sysfs.glob("video*/name"))))
        what = f'No device is called exactly "{LABEL}"; there is {_words(there)}.'
        yield machine.lacks("label", what, _how_to_set_up(machine.root))


def caps(machine: Machine) -> Iterator[Check]:
    """Whether the driver offers one role at a time; browsers list no other device."""
    device = machine.virtual
    if platform.system() != "Linux":
        yield Check("caps", "ok", "Only the driver of Linux has such an option.")
        return
    if device is None:
        yield Check("caps", "warning", _NOBODY)
        return
    try:
        exclusive = loopback.exclusive(machine.root / "dev" / device.name)
        seen = f"{device} offers one role at a time (exclusive_caps=1)."
    except PermissionError:
        remedy = "Run: sudo usermod -aG video $USER, then log in again."
        yield machine.lacks("caps", f"You may not open {device}.", remedy)
        return
    except OSError as exc:
        option = _text(machine.root / "sys/module/v4l2loopback/parameters/exclusive_caps")
        exclusive = "Y" in option or "1" in option
        seen = f"{device} cannot be asked ({exc.strerror}); exclusive_caps={option or 'unknown'}."
    if exclusive:
        yield Check("caps", "ok", seen)
        return
    what = f"{device} was made without exclusive_caps=1: browsers do not list it."
    remedy = (
        f"Run: facecloak camera remove --apply; then run: {_APPLY}"
        if setup.remove(machine.root)
        else f'Take "{LABEL}" out of /etc/modprobe.d, run: sudo modprobe --remove v4l2loopback; '
        f"then run: {_APPLY}"
    )
    yield machine.lacks("caps", what, remedy)


def readers(machine: Machine) -> Iterator[Check]:
    """Who has the virtual camera open."""
    device = machine.virtual
    if platform.system() != "Linux":
        yield Check("readers", "ok", "This system does not tell who has the virtual camera open.")
    elif device is None:
        yield Check("readers", "warning", _NOBODY)
    else:
        who = _words(_programs(device, machine.root), nothing="nobody")
        seen = f"{device} is held open by {who}; programs of other users are not seen."
        yield Check("readers", "ok", seen)


def camera(machine: Machine) -> Iterator[Check]:
    """Which cameras there are, and whether the chosen one gives pictures."""
    everything = cameras()
    real = [one for one in everything if one.name not in _VIRTUAL]
    listed = f"Listed: {_words([f'{one.number} ({one.name})' for one in real])}."
    source = machine.settings.source
    if not (source.isdecimal() or source.startswith("/dev/video")):
        yield _no_camera(source, listed)
        return
    device: int | str = int(source) if source.isdecimal() else source
    chosen = next((one for one in everything if device in (one.number, one.path)), None)
    # While nothing is sent our own is listed nowhere: it takes pictures then, and gives none.
    own = find_device(machine.sysfs) == _node(device)
    if own or (chosen is not None and chosen.name == LABEL):
        what = f"Source {source} is {LABEL} itself, not a camera. {listed}"
        yield fault("camera", SourceUnavailable(what, "Choose a camera that is listed: --source."))
    elif machine.open_camera:
        yield _opened(machine, device, chosen, listed)
    elif chosen is None:
        what = f"There is no camera {source}. {listed}"
        remedy = "Connect a camera, or choose one that is listed: --source."
        yield fault("camera", SourceUnavailable(what, remedy))
    else:
        seen = f"{chosen.name} is there; it was not opened (--no-camera). {listed}"
        yield Check("camera", "ok", seen)


def _node(device: int | str) -> Path:
    return Path(f"/dev/video{device}" if isinstance(device, int) else device)


def _no_camera(source: str, listed: str) -> Check:
    """A source that is no camera."""
    if source == "demo" or Path(source).is_file():
        return Check("camera", "ok", f"The source is {source}, no camera. {listed}")
    what = f"The source {source} is neither a camera nor a file. {listed}"
    return fault("camera", SourceUnavailable(what, "Choose another: --source."))


def _opened(machine: Machine, device: int | str, chosen: Camera | None, listed: str) -> Check:
    """The chosen camera, once it has shown a picture or not."""
    wanted = machine.settings
    source = CameraSource(device, size=(wanted.width, wanted.height), fps=wanted.fps)
    try:
        with source:
            width, height = source.size
    except SourceUnavailable as exc:
        return _closed(exc, device, machine.root, listed)
    name = chosen.name if chosen else f"camera {device}"
    asked = "" if (width, height) == (wanted.width, wanted.height) else ", not the size asked for"
    seen = f"{name} gives {width}x{height}{asked}, {source.fps:g} frames a second. {listed}"
    return Check("camera", "ok", seen)


def _closed(found: SourceUnavailable, device: int | str, root: Path, listed: str) -> Check:
    """A camera that gives no picture, and who has it; FaceCloak itself may have it."""
    node = _node(device)
    users = _programs(node, root) if platform.system() == "Linux" else []
    if users:
        what = f"The camera {node} is used by {_words(users)}. {listed}"
        if all(user.startswith("facecloak ") for user in users):
            return Check("camera", "warning", what, "End that run of FaceCloak to have it checked.")
        return fault("camera", SourceUnavailable(what, "Close it, or choose another: --source."))
    return fault("camera", SourceUnavailable(f"{found.what} {listed}", found.remedy))


def _label_of_the_named(machine: Machine) -> Check:
    """The name of the device that the settings send to, whatever it is."""
    device = machine.virtual
    if device is None:
        what = f"There is no {machine.settings.sink}, which the settings name as the sink."
        return fault("label", DeviceError(what, f"Set sink to virtual, and run: {_APPLY}"))
    called = _text(machine.sysfs / device.name / "name")
    if called == LABEL:
        return Check("label", "ok", f'"{LABEL}" is {device}.')
    remedy = f'Pick "{called}" in the call, or set sink to virtual.'
    return Check("label", "warning", f'{device} is called "{called}", not "{LABEL}".', remedy)


def _listed_elsewhere() -> str | None:
    """The virtual camera that Windows or macOS lists."""
    names = {one.name for one in cameras()}
    return next((name for name in _VIRTUAL if name in names), None)


def _label_elsewhere() -> Check:
    listed = _listed_elsewhere()
    if listed is None:
        return Check("label", "warning", _NOBODY)
    if listed == LABEL:
        return Check("label", "ok", f'"{LABEL}" is listed.')
    seen = f'The virtual camera is called "{listed}", not "{LABEL}".'
    return Check("label", "warning", seen, f'Pick "{listed}" in the call.')


def _how_to_set_up(root: Path) -> str:
    """What makes the virtual camera; in words where only a person can do it."""
    by_hand = [step.why for step in setup.install(root) if not step.command]
    if platform.system() == "Linux":
        return " ".join([f"Run: {_APPLY}", *by_hand])
    return " ".join(by_hand) or "None is known for this system: use --sink preview or a file."


def _programs(device: Path, root: Path) -> list[str]:
    from facecloak.sink.watchers import programs  # noqa: PLC0415 - Linux only

    return programs(device, root / "proc")


def _words(names: list[str], nothing: str = "none") -> str:
    return ", ".join(names) or nothing


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
