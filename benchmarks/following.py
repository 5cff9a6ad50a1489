"""How well what is fitted to a face keeps up with it, on videos, at a live call's pace.

    python benchmarks/following.py VIDEO ... [--tailor off] [--leave-out NAME] [--json FILE]

Every frame is read by the classifiers of still faces, before and after; four times a second one is
judged and fitted to, as live, and what comes of it arrives so much later. No clock inside: a run
can be repeated. Prints the share of readings that changed, per video and in the mean over videos.
"""

import argparse
import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facecloak import app
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import artifacts
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Fitted, Verdict
from facecloak.settings import Settings
from facecloak.tailor.gradient import PAIR, GradientModel
from facecloak.tailor.tailor import LIVE, GradientTailor
from facecloak.verify.crop import face_crop
from facecloak.verify.panel import Panel
from facecloak.verify.visibility import psnr

EVERY_S = 0.25
VERDICT_LATE_S = 0.05
FIT_LATE_S = 0.25
"""After what time a verdict, and what was fitted, reaches the frames."""


@dataclass
class Arrivals:
    """What is under way, by the time at which it arrives."""

    verdicts: deque[tuple[float, tuple[Verdict, ...]]] = field(default_factory=deque)
    fitted: deque[tuple[float, tuple[Fitted, ...]]] = field(default_factory=deque)

    def pass_on(self, cloak: OpenCvCloak, now_s: float) -> None:
        """Let the cloak have what has arrived."""
        while self.verdicts and self.verdicts[0][0] <= now_s:
            cloak.hear(self.verdicts.popleft()[1])
        while self.fitted and self.fitted[0][0] <= now_s:
            cloak.wear(self.fitted.popleft()[1])


class LeftOut:
    """Reads faces by a network that the fit does not follow."""

    def __init__(self, model: GradientModel) -> None:
        self._model = model
        self.name = model.card.name

    def fooled(self, clean: np.ndarray, sent: np.ndarray) -> bool:
        """Whether two crops, ``uint8[S, S]``, are read as different classes."""
        pair = np.stack([clean, sent]).astype(np.float32) / 255.0
        logits, _ = self._model.pull(pair, np.zeros(PAIR, np.int64))
        read = logits.argmax(1)
        return bool(read[0] != read[1])


def followed(path: Path, asked: argparse.Namespace) -> dict[str, float]:
    """Share of the readings that changed, by classifier."""
    settings = Settings()
    cloak, bank = app.cloak(settings)
    panel = Panel([*app.still_judges(settings)])
    models = [GradientModel(path) for path in artifacts.gradients()]
    others = [LeftOut(model) for model in models if model.card.name == asked.leave_out]
    models = [model for model in models if model.card.name != asked.leave_out]
    tailor = GradientTailor(models, bank, pace=LIVE) if asked.tailor == "on" else None
    arrivals = Arrivals()
    read: dict[str, list[bool]] = {}
    seen: list[float] = []
    last_s = float("-inf")
    finder = app.finder()
    with app.file(path) as source:
        while True:
            try:
                frame = source.read(1.0)
            except EndOfSource:
                break
            if frame is None:
                continue
            faces = finder.find(frame).found
            arrivals.pass_on(cloak, frame.captured_s)
            if not faces:
                continue
            sent = cloak.apply(frame, faces)
            verdicts = panel.judge(frame, sent, faces)
            moved = cloak.displaced(frame, faces)
            for face in faces:
                left, top, right, bottom = face_box(face.face_from_frame, *frame.image.shape[1::-1])
                box = slice(top, bottom), slice(left, right)
                seen.append(psnr(moved.image[box], sent.image[box]))
            for verdict in verdicts:
                read.setdefault(verdict.classifier, []).append(verdict.fooled)
            for other in others:
                px = other._model.card.input_px
                for face in faces:
                    pair = (
                        face_crop(one.image, face.face_from_frame, px) for one in (frame, sent)
                    )
                    read.setdefault(other.name, []).append(other.fooled(*pair))
            if not 0 <= frame.captured_s - last_s < EVERY_S:
                last_s = frame.captured_s
                arrivals.verdicts.append((last_s + VERDICT_LATE_S, verdicts))
                if tailor is not None and (fitted := tailor.fit(frame, faces, verdicts)):
                    arrivals.fitted.append((last_s + FIT_LATE_S, fitted))
    finder.close()
    shares = {name: float(np.mean(changed)) for name, changed in read.items()}
    return shares | {"PSNR": float(np.mean(seen))}


def _told(name: str, value: float) -> str:
    return f"{value:5.2f} dB" if name == "PSNR" else f"{value:6.1%}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--tailor", choices=["on", "off"], default="on")
    parser.add_argument("--leave-out", default="", help="name of a gradient, by its card")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    shares = {path.stem: followed(path, asked) for path in asked.videos}
    names = list(next(iter(shares.values())))
    for video, share in shares.items():
        print(f"{video:32s}" + "".join(f"{name} {_told(name, share[name])}   " for name in names))
    mean = {name: float(np.mean([share[name] for share in shares.values()])) for name in names}
    print(f"{'mean':32s}" + "".join(f"{name} {_told(name, mean[name])}   " for name in names))
    if asked.json:
        told = {"command": "benchmarks/following.py", "videos": shares, "mean": mean}
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
