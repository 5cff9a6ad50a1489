"""``facecloak devices``: the cameras to choose from, and the one that calls see."""

from pathlib import Path

from facecloak.capture.listing import Camera, cameras
from facecloak.sink.loopback import LABEL, find_device


def devices(sysfs: Path = Path("/sys/class/video4linux")) -> str:
    """A table of cameras and where the virtual one is.

    Args:
        sysfs: where Linux lists video devices.
    """
    real = [one for one in cameras() if one.name != LABEL]
    lines = ["Cameras (--source NUMBER):", *map(_row, real)]
    if not real:
        lines.append("  none: connect one, or use --source demo")
    ours = find_device(sysfs)
    told = f"  {ours}  {LABEL}" if ours else "  none: facecloak camera install"
    return "\n".join([*lines, "", "Virtual camera (--sink virtual):", told])


def _row(camera: Camera) -> str:
    return f"  {camera.number}  {camera.name}  {camera.path}".rstrip()
