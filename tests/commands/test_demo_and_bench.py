"""The two commands that need nothing but FaceCloak itself, from any folder."""

import json
import math
import os

import cv2
import pytest

from facecloak import cli
from facecloak.capture import VideoSource
from facecloak.commands.demo import demo
from facecloak.commands.sheet import side_by_side
from facecloak.core.errors import SinkUnavailable
from facecloak.settings import Settings


@pytest.mark.slow
def test_the_demo_leaves_what_it_promises(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--out", "a/b", "--seconds", "0.4", "--device", "cpu"]) == 0
    out, err = capfd.readouterr()
    folder = tmp_path / "a" / "b"
    names = {"protected.mp4", "side-by-side.mp4", "sheet.png", "report.json"}
    assert {path.name for path in folder.iterdir()} == names
    for name in names:
        assert name in out
    assert "facecloak run" in out
    assert all(line.startswith("facecloak: ") for line in err.splitlines())
    told = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    assert told["frames"]["out"] == 12
    assert told["frames"]["cloaked"] >= 10
    assert told["largest_change_levels"]["faces"] <= told["budget_levels"]
    assert told["largest_change_levels"]["elsewhere"] == 0
    assert {"find", "cloak", "judge", "sink", "added"} <= set(told["stages_ms"])
    assert math.isfinite(told["face"]["psnr_db"])
    for name, size in (("protected.mp4", (1280, 720)), ("side-by-side.mp4", (1920, 360))):
        with VideoSource(folder / name) as video:
            assert (video.size, video.frame_count, video.rate) == (size, 12, 30)
    assert cv2.imread(str(folder / "sheet.png")).shape[0] > 3 * 420


@pytest.mark.slow
def test_bench_tells_a_table_and_json(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["bench", "--seconds", "1", "--json", "b.json", "--device", "cpu"]) == 0
    out, _ = capfd.readouterr()
    assert "| added |" in out
    told = json.loads((tmp_path / "b.json").read_text(), parse_constant=pytest.fail)
    assert json.loads(out[out.index("\n{") :]) == told
    assert told["size"] == [1280, 720]
    assert told["stages_ms"]["added"]["p95_ms"] > 0
    if os.name == "posix":
        assert told["peak_memory_mb"] > 50


@pytest.mark.warns_in_log
def test_a_report_without_a_folder_is_refused_before_the_work(capfd):
    assert cli.main(["bench", "--json", "nowhere/b.json"]) == 3
    assert "there is no such folder" in capfd.readouterr().err


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(SinkUnavailable, match="cannot be made"):
        demo(Settings(source="demo"), tmp_path / "taken", seconds=1.0)


def test_side_by_side_has_even_sides(portrait):
    height, width, _ = side_by_side(portrait((401, 351)), portrait((401, 351))).shape
    assert (height % 2, width % 2) == (0, 0)
