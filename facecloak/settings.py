"""What the user can choose: defaults, then the settings file, then the environment, then options.

The file is ``settings.toml`` in the user's configuration folder (``facecloak run --help`` names
it); the environment has ``FACECLOAK_STRENGTH`` and so on. All faults are reported at once.
"""

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_type_hints

import platformdirs
import tomli_w

from facecloak.core.errors import ConfigError

PREFIX: Final = "FACECLOAK_"
_NEARLY: Final = 0.8
"""How alike, by `difflib`, a variable's name is to that of a setting that was meant."""
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "device": ("auto", "cpu", "cuda"),
    "camera_on": ("watched", "always"),
    "judges": ("fast", "all"),
    "empty_room": ("shield", "pass"),
    "unfooled": ("tell", "shield"),
    "tailor": ("on", "off"),
    "start_in": ("window", "tray"),
    "language": ("auto", "en", "de"),
}
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "strength": (0.25, 2.0),
    "max_strength": (0.25, 2.0),
    "width": (64, 7680),
    "height": (64, 4320),
    "fps": (1, 240),
    "hold_s": (0, 5),
    "proof_s": (0.1, 30),
    "judge_every_s": (0.05, 5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every choice, with its default. The text under a field is its help."""

    source: str = "0"
    """Camera number or /dev/videoN, a video or picture file, or `demo`."""
    sink: str = "virtual"
    """`virtual` camera, `preview` window, `null`, `-` for yuv4mpeg on stdout, or a file."""
    strength: float = 1.0
    """Factor on the perturbation, 0.25 to 2; docs/results.md says what each costs and gives."""
    max_strength: float = 1.5
    """How far the strength may be raised by itself while a classifier still reads the face."""
    device: str = "auto"
    """Where the classifiers run: auto, cpu or cuda."""
    judges: str = "fast"
    """Which classifiers look at a live picture: the `fast` one, or `all`. Files are read by all."""
    perturbation: str = "default"
    """Name of a shipped perturbation, or a file."""
    tailor: str = "on"
    """Whether the perturbation is fitted to each face while it is seen: on or off."""
    width: int = 1280
    """Width asked of the camera, in pixels."""
    height: int = 720
    """Height asked of the camera, in pixels."""
    fps: float = 30.0
    """Frames per second asked of the camera."""
    camera_on: str = "watched"
    """When the camera is on: while the virtual camera is `watched` (Linux), or `always`."""
    empty_room: str = "shield"
    """What is shown when nobody is there: `shield`, or `pass` for the picture as captured."""
    unfooled: str = "tell"
    """What a classifier that still reads the face means: `tell`, or `shield`."""
    hold_s: float = 0.4
    """How long the last protected frame may stand in before the shield, in seconds."""
    proof_s: float = 2.0
    """How long one verdict of the classifiers vouches for the picture, in seconds."""
    judge_every_s: float = 0.25
    """Least time between two verdicts on a live picture, in seconds."""
    start_in: str = "window"
    """Where `facecloak` starts: in its `window`, or in the `tray` only."""
    language: str = "auto"
    """Of the window: `en`, `de`, or `auto` for the one of the desktop."""
    hotkey: str = "ctrl+alt+h"
    """Hides you, and shows you again, wherever the keyboard is (X11, Windows); or `none`."""


def config_file() -> Path:
    """Where the settings file is looked for."""
    return Path(platformdirs.user_config_dir("facecloak")) / "settings.toml"


def load(
    options: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> Settings:
    """Merge all that was chosen.

    Args:
        options: from the command line; only those that were given.
        environment: such as ``os.environ``; what is empty there counts as not given, and what is
            nearly the name of a setting as unknown; all else that is none is others'.
        file: a settings file; it may be missing.

    Raises:
        ConfigError: something is unknown, of the wrong kind or out of range; names all of it.
    """
    faults: list[str] = []
    chosen: dict[str, Any] = {}
    for origin, values in (
        (str(file), _from_file(file, faults)),
        ("the environment", _from_environment(environment) | _misspelt(environment)),
        ("the options", dict(options)),
    ):
        for name, value in values.items():
            try:
                chosen[name] = _checked(name, value)
            except ValueError as exc:
                faults.append(f"{origin}: {exc}")
    if faults:
        msg = "Some settings cannot be used. " + "; ".join(faults) + "."
        raise ConfigError(msg, "Correct them and start again.")
    return Settings(**chosen)


def save(chosen: Settings, file: Path) -> None:
    """Write what differs from the defaults, in one step. Raises ConfigError when it cannot."""
    usual = Settings()
    changed = {
        name: value
        for name, value in dataclasses.asdict(chosen).items()
        if value != getattr(usual, name)
    }
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(tomli_w.dumps(changed), encoding="utf-8")
        part.replace(file)
    except OSError as exc:
        msg = f"The settings cannot be saved in {file}: {exc.strerror}."
        raise ConfigError(msg, "Make room, or allow writing there.") from exc


def load_or_set_aside(
    environment: Mapping[str, str], file: Path
) -> tuple[Settings, ConfigError | None]:
    """Load for a window, which must open in any case.

    A file that cannot be used is renamed to ``settings.toml.broken``, and the defaults are taken;
    faults of the environment leave it out.

    Returns:
        the settings, and what was wrong, if anything was.
    """
    try:
        return load({}, environment, file), None
    except ConfigError as exc:
        fault = exc
    try:
        return load({}, {}, file), fault
    except ConfigError:
        pass
    broken = file.with_name(file.name + ".broken")
    try:
        file.replace(broken)
        remedy = f"It was renamed to {broken.name} and the defaults are used."
        fault = ConfigError(fault.what, remedy)
    except OSError:
        pass
    try:
        return load({}, environment), fault
    except ConfigError:
        return Settings(), fault


def kept(file: Path) -> Settings:
    """What a settings file says by itself; the defaults where it is missing or cannot be used."""
    try:
        return load({}, {}, file)
    except ConfigError:
        return Settings()


def _from_file(file: Path | None, faults: list[str]) -> dict[str, Any]:
    if file is None or not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        faults.append(f"{file} cannot be read as TOML: {exc}")
        return {}


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = (field.name for field in dataclasses.fields(Settings))
    return {
        name: environment[PREFIX + name.upper()]
        for name in names
        if environment.get(PREFIX + name.upper())
    }


def _misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are no setting but nearly one; whoever gave them believes in them."""
    names = [field.name for field in dataclasses.fields(Settings)]
    ours = {PREFIX + name.upper() for name in names}
    return {
        variable: value
        for variable, value in environment.items()
        if variable.startswith(PREFIX)
        and value
        and variable not in ours
        and difflib.get_close_matches(variable.removeprefix(PREFIX).lower(), names, 1, _NEARLY)
    }


def _checked(name: str, value: Any) -> str | int | float:  # noqa: ANN401 - TOML holds anything
    """A value in the type of its field. Raises ValueError that says what is wanted."""
    kinds = get_type_hints(Settings)
    if name not in kinds:
        msg = f"there is no setting {name!r}; there are {', '.join(sorted(kinds))}"
        raise ValueError(msg)
    typed = _typed(name, kinds[name], value)
    if name in CHOICES and typed not in CHOICES[name]:
        msg = f"{name} must be one of {', '.join(CHOICES[name])}, got {value!r}"
        raise ValueError(msg)
    if name in _RANGES:
        low, high = _RANGES[name]
        if not (math.isfinite(float(typed)) and low <= float(typed) <= high):
            msg = f"{name} must be within {low:g} to {high:g}, got {value!r}"
            raise ValueError(msg)
    return typed


def _typed(name: str, kind: type, value: Any) -> str | int | float:  # noqa: ANN401 - likewise
    """A value as ``kind``; TOML's dates, lists and truth values are none of them."""
    wanted = {str: "a text", int: "a whole number", float: "a number"}[kind]
    whole = kind is not int or not isinstance(value, float) or value.is_integer()
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and whole:
            typed: str | int | float = kind(value)
            if typed != "":
                return typed
    except (ValueError, OverflowError):
        pass
    msg = f"{name} must be {wanted}, got {value!r}"
    raise ValueError(msg)
