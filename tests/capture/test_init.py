from pathlib import Path

import pytest

from facecloak import capture
from facecloak.capture import (
    DemoSource,
    PictureSource,
    RecoveringSource,
    VideoSource,
    open_source,
)
from facecloak.core.errors import ConfigError, SourceUnavailable


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("0", RecoveringSource),
        ("/dev/video2", RecoveringSource),
        ("demo", DemoSource),
        ("face.PNG", PictureSource),
        ("face.jpeg", PictureSource),
        ("call.mp4", VideoSource),
        ("call.gif", VideoSource),
        ("no-suffix", VideoSource),
        ("./demo", VideoSource),
    ],
)
def test_a_name_chooses_its_source(name, kind):
    assert type(open_source(name)) is kind


def test_a_live_demo_has_no_end_unless_it_is_given_one():
    assert open_source("demo").frame_count == 240
    assert open_source("demo", live=True).frame_count is None
    assert open_source("demo", live=True).live
    assert open_source("demo", live=True, seconds=2).frame_count == 60
    with pytest.raises(ConfigError):
        open_source("demo", seconds=0)


def test_a_file_source_knows_its_path():
    assert open_source("call.mp4").path == Path("call.mp4")


@pytest.mark.parametrize("name", ["0", "/dev/video0"])
def test_our_own_camera_is_not_read(name):
    with (
        pytest.raises(SourceUnavailable, match="video0 is FaceCloak's own camera") as caught,
        open_source(name, own=lambda: Path("/dev/video0")),
    ):
        pass
    assert "--source" in caught.value.remedy


def test_nor_is_it_where_the_camera_asked_for_was_found_again(monkeypatch):
    monkeypatch.setattr(capture, "find_again", lambda _device, _name: 7)
    with (
        pytest.raises(SourceUnavailable, match="video7 is FaceCloak's own camera"),
        open_source("0", own=lambda: Path("/dev/video7")),
    ):
        pass


@pytest.mark.parametrize("own", [None, Path("/dev/video97")])
def test_another_camera_than_our_own_is_opened(own):
    with (
        pytest.raises(SourceUnavailable, match=r"no camera .*video98|98 did not open"),
        open_source("98", own=lambda: own),
    ):
        pass
