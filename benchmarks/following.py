"""How well what is laid on a face keeps up with it, on videos, at a live call's pace.

    python benchmarks/following.py VIDEO ... [--tailor off] [--leave-out NAME] [--readers FILE ...]
        [--rounds N] [--json FILE]

Every frame is read by the classifiers of still faces, before and after; four times a second one is
judged and fitted to, as live, and what comes of that arrives so much later. No clock inside: a run
can be repeated. Prints of each video and in the mean of all: the share of the readings that changed
and that of the worst second, the PSNR of what is added, its flicker, the root mean square of
what changes of it on the aligned face from one frame to the next, in levels, and the wobble, that
of what changes of how far the face's points are moved, with the most that any of them does, in
shares of the face's width. A video may be played more than once, forwards and backwards in turn as
time goes on; the last round counts.
"""

import argparse
import json
import math
import shlex
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facecloak import app, endpoints
from facecloak.cloak.dose import FIELD_PX
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import artifacts
from facecloak.core.bank import Bank
from facecloak.core.displacement import window
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Face, Fitted, Frame, Verdict
from facecloak.settings import Settings
from facecloak.tailor.canvas import FINE_PX
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.tailor import LIVE, PATIENT, GradientTailor
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel
from facecloak.verify.visibility import psnr

EVERY_S = 0.25
VERDICT_LATE_S = 0.05
FIT_LATE_S = 0.25
"""After what time a verdict, and what was fitted, reaches the frames of a live call."""
MOVED = window(FIELD_PX) > 0
"""Where a face may be moved at all: ``bool[S, S]``."""
PACES = {"live": replace(LIVE, spend_s=math.inf), "patient": PATIENT}
"""Without a clock: what a slow machine has no time for would else be missing."""


class Call:
    """One call: the cloak, who fits, and what is under way to the cloak."""

    def __init__(self, bank: Bank, models: list[GradientModel], pace: str) -> None:
        self.cloak = OpenCvCloak(bank)
        self._tailor = GradientTailor(models, bank, pace=PACES[pace]) if models else None
        self._verdicts: deque[tuple[float, tuple[Verdict, ...]]] = deque()
        self._fitted: deque[tuple[float, tuple[Fitted, ...]]] = deque()
        self._late = 1.0 if pace == "live" else 0.0
        self._judged_s = float("-inf")

    def send(self, frame: Frame, faces: tuple[Face, ...]) -> Frame:
        """Lay on the faces what has arrived until then."""
        while self._verdicts and self._verdicts[0][0] <= frame.captured_s:
            self.cloak.hear(self._verdicts.popleft()[1])
        while self._fitted and self._fitted[0][0] <= frame.captured_s:
            self.cloak.wear(self._fitted.popleft()[1])
        return self.cloak.apply(frame, faces)

    def due(self, at_s: float) -> bool:
        """Whether it is time for the next verdict."""
        return not 0 <= at_s - self._judged_s < EVERY_S

    def judged(self, frame: Frame, faces: tuple[Face, ...], verdicts: tuple[Verdict, ...]) -> None:
        """Take the verdicts on a frame, and fit to its faces."""
        self._judged_s = frame.captured_s
        self._verdicts.append((self._judged_s + self._late * VERDICT_LATE_S, verdicts))
        if self._tailor is not None and (fitted := self._tailor.fit(frame, faces, verdicts)):
            self._fitted.append((self._judged_s + self._late * FIT_LATE_S, fitted))


def astray(model: GradientModel, clean: Frame, sent: Frame, face: Face) -> bool:
    """Whether a network that the fit does not follow reads something else in the face as sent."""
    crops = [
        face_crop(one.image, face.face_from_frame, model.card.input_px) for one in (clean, sent)
    ]
    logits = model.read(np.stack(crops).astype(np.float32) / 255.0)
    before, after = logits.argmax(1)
    return bool(before != after)


def frames(path: Path) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
    """The frames of a video that show faces."""
    finder = app.finder()
    with endpoints.file(path) as source:
        while True:
            try:
                frame = source.read(1.0)
            except EndOfSource:
                break
            if frame is not None and (faces := finder.find(frame).found):
                yield frame, faces
    finder.close()


def played(path: Path, rounds: int) -> Iterator[tuple[Frame, tuple[Face, ...], bool]]:
    """The frames that show faces, forwards and backwards in turn; whether it is the last round."""
    if rounds == 1:
        for frame, faces in frames(path):
            yield frame, faces, True
        return
    once = list(frames(path))
    if not once:
        return
    first_s, last_s = once[0][0].captured_s, once[-1][0].captured_s
    pause_s = (last_s - first_s) / max(1, len(once) - 1)
    for number in range(rounds):
        back = number % 2 == 1
        begins_s = number * (last_s - first_s + pause_s)
        for frame, faces in reversed(once) if back else once:
            at_s = last_s - frame.captured_s if back else frame.captured_s - first_s
            yield replace(frame, captured_s=begins_s + at_s), faces, number == rounds - 1


def followed(
    path: Path, call: Call, panel: Panel, others: list[GradientModel], rounds: int
) -> dict[str, float]:
    """Share of the readings that changed, by classifier, then ``PSNR`` and ``flicker``."""
    fooled: dict[str, list[tuple[float, bool]]] = {}
    noise: list[float] = []
    flicker: list[float] = []
    wobble: list[tuple[float, float]] = []
    before: dict[int, NDArray[np.float32]] = {}
    moved_before: dict[int, NDArray[np.float32]] = {}
    for frame, faces, counts in played(path, rounds):
        sent = call.send(frame, faces)
        due = call.due(frame.captured_s)
        verdicts = panel.judge(frame, sent, faces) if due or counts else ()
        if due:
            call.judged(frame, faces, verdicts)
        if not counts:
            continue
        for verdict in verdicts:
            told = fooled.setdefault(verdict.classifier, [])
            told.append((frame.captured_s, verdict.fooled))
        moved = call.cloak.displaced(frame, faces)
        added = {face.track: laid(moved, sent, face) for face in faces}
        both = added.keys() & before.keys()
        flicker += [float(np.sqrt(np.mean((added[k] - before[k]) ** 2))) for k in both]
        before = added
        shifts = call.cloak.shifts(frame, faces)
        far = {face.track: one for face, one in zip(faces, shifts, strict=True) if one is not None}
        for track in far.keys() & moved_before.keys():
            lengths = np.hypot(*(far[track] - moved_before[track])[MOVED].T)
            wobble.append((float(np.sqrt(np.mean(lengths**2))), float(lengths.max())))
        moved_before = far
        for face in faces:
            for model in others:
                changed = astray(model, frame, sent, face)
                fooled.setdefault(model.card.name, []).append((frame.captured_s, changed))
            left, top, right, bottom = face_box(face.face_from_frame, *frame.image.shape[1::-1])
            box = slice(top, bottom), slice(left, right)
            noise.append(psnr(moved.image[box], sent.image[box]))
    if not noise:
        return {}
    found = {
        name: float(np.mean([changed for _, changed in told])) for name, told in fooled.items()
    }
    found |= {f"{name}, worst second": worst_second(told) for name, told in fooled.items()}
    return found | {
        "PSNR": float(np.mean(noise)),
        "flicker": float(np.mean(flicker or [0.0])),
        "wobble": float(np.mean([rms for rms, _ in wobble] or [0.0])),
        "most of any point": max((most for _, most in wobble), default=0.0),
    }


def laid(moved: Frame, sent: Frame, face: Face) -> NDArray[np.float32]:
    """What is added to an aligned face, in levels: ``float32[S, S]``."""
    crops = (face_crop(one.image, face.face_from_frame, FINE_PX) for one in (sent, moved))
    first, second = (crop.astype(np.float32) for crop in crops)
    return first - second


def worst_second(told: list[tuple[float, bool]]) -> float:
    """The smallest share of readings that changed, of any second of the video, or of all of it."""
    times_s, changed = (np.array(one) for one in zip(*told, strict=True))
    begins = [at_s for at_s in np.unique(times_s) if at_s + 1.0 <= times_s[-1]] or [times_s[0]]
    inside = [(times_s >= at_s) & (times_s <= at_s + 1.0) for at_s in begins]
    return float(min(changed[one].mean() for one in inside))


def line(video: str, values: dict[str, float]) -> str:
    """A row of the table."""
    units = {"PSNR": " dB", "flicker": " levels"}
    digits = {"wobble": 4, "most of any point": 3}
    told = (
        f"{name} {value:.2f}{units[name]}"
        if name in units
        else f"{name} {value:.{digits.get(name, 1)}%}"
        for name, value in values.items()
    )
    return f"{video:32s}" + "  ".join(told)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--tailor", choices=["on", "off"], default="on")
    parser.add_argument("--pace", choices=[*PACES], default="live", help="patient: as files are")
    parser.add_argument("--leave-out", default="", help="a gradient that reads and is not followed")
    parser.add_argument(
        "--readers", nargs="*", type=Path, default=[], help="further classifiers of stills, .onnx"
    )
    parser.add_argument("--rounds", type=int, default=1, help="play so often; the last one counts")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be 1 or more")
    bank = app.cloak(Settings())[1]
    further = (OnnxClassifier(path) for path in asked.readers)
    panel = Panel([*app.still_judges(Settings()), *further])
    models = [GradientModel(path) for path in artifacts.gradients()]
    others = [model for model in models if model.card.name == asked.leave_out]
    if asked.leave_out and not others:
        names = ", ".join(model.card.name for model in models)
        parser.error(f"there is no gradient {asked.leave_out!r}; there are {names}")
    models = [model for model in models if model not in others] if asked.tailor == "on" else []
    found = {}
    for path in asked.videos:
        call = Call(bank, models, asked.pace)
        found[path.stem] = followed(path, call, panel, others, asked.rounds)
        if not found[path.stem]:
            parser.error(f"{path.name} shows no face")
    columns = [*next(iter(found.values()))]
    found["mean"] = {
        name: float(np.mean([one[name] for one in found.values()])) for name in columns
    }
    for name, values in found.items():
        print(line(name, values))
    if asked.json:
        command = shlex.join(["python", "benchmarks/following.py", *sys.argv[1:]])
        asked.json.write_text(json.dumps({"command": command, "found": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
