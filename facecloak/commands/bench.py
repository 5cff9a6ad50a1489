"""``facecloak bench``: what the live pipeline costs on this machine."""

import platform
import sys
import threading
from typing import Any

from facecloak import __version__, app, endpoints
from facecloak.commands.telling import stage_table
from facecloak.pipeline.live import Limits
from facecloak.pipeline.runner import run_live
from facecloak.settings import Settings


def bench(settings: Settings, *, seconds: float) -> dict[str, Any]:
    """Send the demo portrait, in the size asked of the camera, through the live pipeline.

    30 frames a second come as motion JPEG, as from a webcam. Capture, judges and pipeline run in
    their threads exactly as with a camera; the frames go to a sink that only counts them.

    Raises:
        FaceCloakError: something failed.
    """
    source = endpoints.rehearsal(settings, seconds)
    made = app.protection(settings, live=True)
    report = run_live(
        source,
        endpoints.sink_of("null", source),
        made.protector,
        stop=threading.Event(),
        limits=Limits(seconds=seconds + 5.0),
    )
    return {
        "facecloak": __version__,
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "size": list(source.size),
        "fps": source.fps,
        "devices": {
            card.name: device for card, device in zip(made.cards, made.devices, strict=True)
        },
        "seconds": report.seconds,
        "frames_per_second": report.frames_out / report.seconds,
        "dropped": report.dropped,
        "outputs": report.outputs,
        "peak_memory_mb": peak_memory_mb(),
        "stages_ms": report.stages,
    }


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    width, height = result["size"]
    memory = result["peak_memory_mb"]
    used = f", {memory:.0f} MB at most" if memory is not None else ""
    return (
        f"{width}x{height}, {result['frames_per_second']:.1f} of {result['fps']:.0f} frames "
        f"a second, {result['dropped']} dropped{used}\n\n" + stage_table(result["stages_ms"])
    )


def peak_memory_mb() -> float | None:
    """The most memory this process has held, in MB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
