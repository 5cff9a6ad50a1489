"""What has to be done, once, so that other programs list a camera named "FaceCloak Camera".

On Linux that is a kernel module with options of its own, and each step is a command that can be
run. Windows and macOS want installers that only a person can download: their steps are words.
"""

import platform
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facecloak.sink.loopback import LABEL, find_device

_OPTIONS: Final = Path("etc/modprobe.d/zz-facecloak.conf")
"""Read last, so that its options win over those of other programs."""
_AT_START: Final = Path("etc/modules-load.d/facecloak.conf")
_SECURE_BOOT: Final = Path(
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
)
_PACKAGES: Final = {
    "debian": ("apt-get", "install", "-y", "v4l2loopback-dkms"),
    "fedora": ("dnf", "install", "-y", "akmod-v4l2loopback"),
    "arch": ("pacman", "-S", "--noconfirm", "--needed", "v4l2loopback-dkms"),
    "suse": ("zypper", "install", "-y", "v4l2loopback-kmp-default"),
}
_BY_HAND: Final = {
    "Windows": (
        "Download Unity Capture (github.com/schellingb/UnityCapture) and open a command prompt as "
        "administrator in its folder Install.",
        f'Run: regsvr32 "UnityCaptureFilter64.dll" "/i:UnityCaptureName={LABEL}"',
        f'Run: regsvr32 "UnityCaptureFilter32.dll" "/i:UnityCaptureName={LABEL}"',
        "Or install OBS 26 or newer; calls then list the camera as OBS Virtual Camera, a name that "
        "OBS does not let others change.",
    ),
    "Darwin": (
        "Install OBS 30 or newer, and start and stop its virtual camera once; calls list the "
        "camera as OBS Virtual Camera, a name that OBS does not let others change.",
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        why: what it does, as a sentence.
        command: what to run as root; nothing where a person has to act.
        text: what to give it on standard input.
    """

    why: str
    command: tuple[str, ...] = ()
    text: str = ""

    @property
    def shell(self) -> str:
        """The command as a person types it."""
        command = "sudo " + shlex.join(self.command)
        if not self.text:
            return command
        return f"printf '%s\\n' {shlex.quote(self.text.strip())} | {command} >/dev/null"


@dataclass(frozen=True, slots=True)
class _Options:
    """Devices that options of v4l2loopback make: what stands at the same place belongs together."""

    labels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()

    def and_ours(self) -> str:
        """As one line, with our device after the others."""
        others = len(self.labels)
        numbers = (*self.numbers, *["-1"] * others)[:others]
        exclusive = (*self.exclusive, *["0"] * others)[:others]
        line = f"options v4l2loopback devices={others + 1} "
        if others:
            line += f"video_nr={','.join((*numbers, '-1'))} "
        line += f"exclusive_caps={','.join((*exclusive, '1'))} "
        return line + f'card_label="{",".join((*self.labels, LABEL))}"'


def install(root: Path = Path("/"), *, release: str | None = None) -> list[Step]:
    """What is still to be done on this machine; nothing where the camera is there.

    Args:
        root: the root of the file system.
        release: of the running kernel, in place of the one that runs.
    """
    if platform.system() != "Linux":
        return [Step(what) for what in _BY_HAND.get(platform.system(), ())]
    if find_device(root / "sys/class/video4linux") is not None:
        return []
    steps = []
    if not _has_module(root / "lib/modules" / (release or platform.release())):
        steps.append(_package(root))
        if _secure_boot(root):
            steps.append(
                Step(
                    "Secure Boot is on: the package asks for a password; restart, choose "
                    '"Enroll MOK", type it, and run this command again.'
                )
            )
    others = _other_options(root)
    kept = f", after {', '.join(others.labels)}" if others.labels else ""
    steps += [
        Step(f"Name the camera{kept}.", ("tee", f"/{_OPTIONS}"), others.and_ours() + "\n"),
        Step("Load the driver at every start.", ("tee", f"/{_AT_START}"), "v4l2loopback\n"),
    ]
    if (root / "sys/module/v4l2loopback").exists():
        steps.append(
            Step(
                "The driver runs without our camera: stop it (close what uses its cameras).",
                ("modprobe", "--remove", "v4l2loopback"),
            )
        )
    return [*steps, Step("Start the driver.", ("modprobe", "v4l2loopback"))]


def remove(root: Path = Path("/")) -> list[Step]:
    """What undoes :func:`install`, except for the package of the driver."""
    if platform.system() != "Linux":
        return []
    written = [f"/{path}" for path in (_OPTIONS, _AT_START) if (root / path).exists()]
    steps = [Step("Forget the camera.", ("rm", *written))] if written else []
    if (root / "sys/module/v4l2loopback").exists() and written:
        steps.append(
            Step(
                "Stop the driver (close what uses its cameras).",
                ("modprobe", "--remove", "v4l2loopback"),
            )
        )
    return steps


def _has_module(modules: Path) -> bool:
    try:
        return "/v4l2loopback.ko" in (modules / "modules.dep").read_text(encoding="utf-8")
    except OSError:
        return False


def _package(root: Path) -> Step:
    """How this distribution installs the driver."""
    try:
        release = (root / "etc/os-release").read_text(encoding="utf-8")
    except OSError:
        release = ""
    families = re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)', release, re.MULTILINE)
    for family in " ".join(families).split():
        for known, command in _PACKAGES.items():
            if family.startswith((known, f"open{known}")):
                why = "Install the driver v4l2loopback."
                if known == "fedora":
                    why = (
                        "Install the driver v4l2loopback (from RPM Fusion, which must be enabled)."
                    )
                return Step(why, command)
    return Step("Install the driver v4l2loopback with the package manager of your system.")


def _secure_boot(root: Path) -> bool:
    try:
        return (root / _SECURE_BOOT).read_bytes()[-1:] == b"\1"
    except OSError:
        return False


def _other_options(root: Path) -> _Options:
    """The devices that other programs have the driver make; their options must not get lost."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted((root / "etc/modprobe.d").glob("*.conf")):
        if file.name == _OPTIONS.name:
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if re.match(r"\s*options\s+v4l2loopback\s", line):
                for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', line):
                    found[name] = tuple((quoted or plain).split(","))
    count = max([0, *map(int, found.get("devices", ())), *map(len, found.values())])
    if not count:
        return _Options()
    unnamed = (f"Dummy video device ({place})" for place in range(count))
    labels = found.get("card_label", ())
    return _Options(
        labels=(*labels, *list(unnamed)[len(labels) :]),
        numbers=found.get("video_nr", ()),
        exclusive=found.get("exclusive_caps", ()),
    )
