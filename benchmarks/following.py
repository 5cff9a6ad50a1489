"""How well what is laid on a face keeps up with it, on videos, at a live call's pace.

    python benchmarks/following.py VIDEO ... [--tailor off] [--leave-out NAME] [--readers FILE ...]
        [--json FILE]

Every frame is read by the classifiers of still faces, before and after; four times a second one is
judged and fitted to, as live, and what comes of that arrives so much later. No clock inside: a run
can be repeated. Prints the share of the readings that changed, and the PSNR of what is added, of
each video and in the mean of all.
"""

import argparse
import json
import shlex
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facecloak import app
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import artifacts
from facecloak.core.bank import Bank
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Face, Fitted, Frame, Verdict
from facecloak.settings import Settings
from facecloak.tailor.gradient import PAIR, GradientModel
from facecloak.tailor.tailor import LIVE, PATIENT, GradientTailor
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel
from facecloak.verify.visibility import psnr

EVERY_S = 0.25
VERDICT_LATE_S = 0.05
FIT_LATE_S = 0.25
"""After what time a verdict, and what was fitted, reaches the frames of a live call."""
PACES = {"live": LIVE, "patient": PATIENT}


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

    def judged(self, frame: Frame, faces: tuple[Face, ...], verdicts: tuple[Verdict, ...]) -> None:
        """Take the verdicts on a frame, and fit to its faces, where it is time."""
        if 0 <= frame.captured_s - self._judged_s < EVERY_S:
            return
        self._judged_s = frame.captured_s
        self._verdicts.append((self._judged_s + self._late * VERDICT_LATE_S, verdicts))
        if self._tailor is not None and (fitted := self._tailor.fit(frame, faces, verdicts)):
            self._fitted.append((self._judged_s + self._late * FIT_LATE_S, fitted))


def astray(model: GradientModel, clean: Frame, sent: Frame, face: Face) -> bool:
    """Whether a network that the fit does not follow reads something else in the face as sent."""
    crops = [
        face_crop(one.image, face.face_from_frame, model.card.input_px) for one in (clean, sent)
    ]
    logits, _ = model.pull(np.stack(crops).astype(np.float32) / 255.0, np.zeros(PAIR, np.int64))
    before, after = logits.argmax(1)
    return bool(before != after)


def frames(path: Path) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
    """The frames of a video that show faces."""
    finder = app.finder()
    with app.file(path) as source:
        while True:
            try:
                frame = source.read(1.0)
            except EndOfSource:
                break
            if frame is not None and (faces := finder.find(frame).found):
                yield frame, faces
    finder.close()


def followed(path: Path, call: Call, panel: Panel, others: list[GradientModel]) -> dict[str, float]:
    """Share of the readings that changed, by classifier, and ``PSNR`` in dB."""
    found: dict[str, list[float]] = {}
    for frame, faces in frames(path):
        sent = call.send(frame, faces)
        verdicts = panel.judge(frame, sent, faces)
        call.judged(frame, faces, verdicts)
        for verdict in verdicts:
            found.setdefault(verdict.classifier, []).append(verdict.fooled)
        moved = call.cloak.displaced(frame, faces)
        for face in faces:
            for model in others:
                changed = astray(model, frame, sent, face)
                found.setdefault(model.card.name, []).append(changed)
            left, top, right, bottom = face_box(face.face_from_frame, *frame.image.shape[1::-1])
            box = slice(top, bottom), slice(left, right)
            found.setdefault("PSNR", []).append(psnr(moved.image[box], sent.image[box]))
    return {name: float(np.mean(values)) for name, values in found.items()}


def line(video: str, values: dict[str, float]) -> str:
    """A row of the table."""
    told = (
        f"{value:.2f} dB" if name == "PSNR" else f"{name} {value:.1%}"
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
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
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
        found[path.stem] = followed(path, Call(bank, models, asked.pace), panel, others)
        if not found[path.stem]:
            parser.error(f"{path.name} shows no face")
    names = [*next(iter(found.values()))]
    found["mean"] = {name: float(np.mean([one[name] for one in found.values()])) for name in names}
    for video, values in found.items():
        print(line(video, values))
    if asked.json:
        command = shlex.join(["python", "benchmarks/following.py", *sys.argv[1:]])
        asked.json.write_text(json.dumps({"command": command, "found": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
