"""``facecloak demo``: a real face through the whole pipeline, with the result to look at."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from facecloak import app, endpoints
from facecloak.commands.measuring import Measurer, report
from facecloak.commands.protect import write_json
from facecloak.commands.sheet import Sheet, side_by_side
from facecloak.commands.telling import file_summary, stage_table
from facecloak.core.errors import SinkUnavailable
from facecloak.core.ports import Sink
from facecloak.core.types import Frame
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.runner import run_file
from facecloak.settings import Settings

_MOMENTS = (1 / 16, 1 / 3, 2 / 3)
"""Which shares of the run the sheet shows."""


def demo(settings: Settings, folder: Path, *, seconds: float) -> dict[str, Any]:
    """Protect the animated portrait into ``folder`` and return the report.

    Writes ``protected.mp4``, ``side-by-side.mp4``, ``sheet.png`` and ``report.json``.

    Raises:
        FaceCloakError: something failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        msg = f"The folder {folder} cannot be made: {exc.strerror}."
        raise SinkUnavailable(msg, "Choose another with --out.") from exc
    source = endpoints.source(settings, seconds=seconds)
    made = app.protection(settings, live=False)
    measurer = Measurer(made.displaced, made.mixes)
    sheet = Sheet(tuple(int(share * seconds * source.fps) for share in _MOMENTS))
    with ExitStack() as opened:
        compared: list[Sink] = []

        def observe(clean: Frame, protected: Protected) -> None:
            measurer(clean, protected)
            sheet.look(clean, protected)
            picture = side_by_side(clean.image, protected.frame.image)
            if not compared:
                open_compared = endpoints.file_sink(folder / "side-by-side.mp4", source)
                size = (picture.shape[1], picture.shape[0])
                compared.append(opened.enter_context(open_compared(size, source.fps)))
            compared[0].write(Frame(picture, clean.captured_s, clean.index))

        open_sink = endpoints.file_sink(folder / "protected.mp4", source)
        rehearsals = made.rehearsals
        run = run_file(source, open_sink, made.protector, rehearsals=rehearsals, observe=observe)
    told = report(made, run, measurer, strength=settings.strength)
    write_json(folder / "report.json", told)
    picture = sheet.picture("FaceCloak demo\n" + file_summary(told))
    size = (picture.shape[1], picture.shape[0])
    with endpoints.file_sink(folder / "sheet.png", source)(size, source.fps) as sink:
        sink.write(Frame(picture, 0.0, 0))
    return told


def story(told: dict[str, Any], folder: Path) -> str:
    """What the demo did, and what to do next."""
    return f"""
{file_summary(told)}

{stage_table(told["stages_ms"])}

In {folder}/:
  sheet.png          look at this first: original, protected, difference x10
  protected.mp4      what a call would see
  side-by-side.mp4   original | protected | difference x10
  report.json        every figure of this run

Next:
  facecloak run                       protect your webcam as "FaceCloak Camera"
  facecloak run --sink preview        the same in a window, without a driver
  facecloak protect IN.mp4 OUT.mp4    protect a file
"""
