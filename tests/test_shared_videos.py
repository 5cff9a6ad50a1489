"""``facecloak protect`` on real face videos, which are not in the repository."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from facecloak.capture.video import VideoSource
from facecloak.cli import main
from facecloak.commands import protect as command
from facecloak.commands.measuring import Measurer
from facecloak.core.ports import EndOfSource

SHARED = Path(os.environ.get("FACECLOAK_SHARED", Path(__file__).resolve().parents[2] / "shared"))
VIDEOS = sorted((SHARED / "data" / "video").glob("*.*"))

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


def frames(path):
    with VideoSource(path) as source:
        while True:
            try:
                frame = source.read(10.0)
            except EndOfSource:
                return
            yield frame


@pytest.mark.skipif(not VIDEOS, reason="no face videos beside the checkout (FACECLOAK_SHARED)")
@pytest.mark.parametrize("video", VIDEOS, ids=lambda path: path.stem)
def test_only_faces_change_and_by_no_more_than_the_budget(video, tmp_path, monkeypatch):
    moved = []

    class Remembering(Measurer):
        def __call__(self, clean, protected):
            moved.append(self._displaced(clean, protected.faces.found).image)
            super().__call__(clean, protected)

    monkeypatch.setattr(command, "Measurer", Remembering)
    out, report = tmp_path / "out.mkv", tmp_path / "report.json"
    assert main(["protect", str(video), str(out), "--lossless", "--report", str(report)]) == 0
    told = json.loads(report.read_text())
    assert told["frames"]["cloaked"] == told["frames"]["out"]
    assert told["largest_change_levels"]["elsewhere"] == 0
    largest = count = 0
    for clean, protected, face in zip(frames(video), frames(out), moved, strict=True):
        change = np.abs(clean.image.astype(np.int16) - protected.image)
        added = np.abs(face.astype(np.int16) - protected.image)
        largest, count = max(largest, int(added.max())), count + 1
        assert change.any(), "a frame left as it was captured"
        assert (change.max(axis=2) > 0).mean() < 0.8
    assert count == told["frames"]["out"]
    assert largest == told["largest_change_levels"]["faces"] <= told["budget_levels"]
    for name, row in told["classifiers"].items():
        assert row["judged"] >= (count if name in ("VGG19", "ResNet14") else 1)  # or of clips
        assert row["fooling_rate"] == pytest.approx(row["fooled"] / row["judged"])
