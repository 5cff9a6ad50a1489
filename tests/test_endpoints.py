"""What sources and sinks the settings name."""

import platform
from fractions import Fraction
from pathlib import Path

import pytest

from facecloak import capture, endpoints, sink
from facecloak.core.errors import ConfigError, SourceUnavailable
from facecloak.settings import Settings


def test_a_file_is_a_file_whatever_its_name(tmp_path):
    assert isinstance(endpoints.file(tmp_path / "demo"), capture.VideoSource)
    assert isinstance(endpoints.file(tmp_path / "0"), capture.VideoSource)
    with pytest.raises(ConfigError, match="names no format"):
        endpoints.file_sink(tmp_path / "null", endpoints.file(tmp_path / "a.mp4"))((64, 48), 30.0)


def test_a_sink_gets_the_exact_rate_of_a_file_and_else_the_nominal_one(tmp_path):
    settings = Settings(source="demo")
    opened = endpoints.sink_of(str(tmp_path / "out.mkv"), endpoints.source(settings))(
        (64, 48), 30.0
    )
    assert isinstance(opened, sink.VideoSink)
    assert opened._rate == 30
    video = endpoints.file(tmp_path / "in.mp4")
    video.rate = 30000 / 1001
    opened = endpoints.file_sink(tmp_path / "out.mkv", video)((64, 48), 29.97)
    assert opened._rate == pytest.approx(30000 / 1001)
    assert opened._original.path == tmp_path / "in.mp4"


def test_a_sink_knows_the_shape_of_a_files_pixels_and_whether_it_was_read_to_its_end(tmp_path):
    video = endpoints.file(tmp_path / "in.mp4")
    video.rate, video.pixel_aspect = Fraction(25), Fraction(16, 15)
    opened = endpoints.file_sink(tmp_path / "out.mp4", video)((64, 48), 25.0)
    assert opened._original.pixel_aspect == Fraction(16, 15)
    assert not opened._original.ended()
    video.ended = True
    assert opened._original.ended()
    picture = endpoints.file_sink(tmp_path / "out.mp4", endpoints.file(tmp_path / "in.png"))(
        (64, 48), 1.0
    )
    assert picture._original.pixel_aspect == 1


def test_a_camera_is_never_our_own(monkeypatch):
    monkeypatch.setattr(endpoints, "find_device", lambda _sysfs: Path("/dev/video0"))
    with (
        pytest.raises(SourceUnavailable, match="FaceCloak's own camera"),
        endpoints.source(Settings(source="0")),
    ):
        pass


@pytest.mark.skipif(platform.system() != "Linux", reason="elsewhere a camera is on always")
@pytest.mark.parametrize("sink", ["virtual", "/dev/video97"])
def test_nobody_watches_a_virtual_camera_that_is_not_there(monkeypatch, sink):
    monkeypatch.setattr(endpoints, "find_device", lambda _sysfs: None)
    with endpoints.watchers(Settings(sink=sink)) as watched:
        assert watched() is False


def test_a_camera_is_on_always_where_that_is_asked_for_or_nobody_can_tell(monkeypatch):
    asked = [Settings(sink="virtual", camera_on="always"), Settings(sink="null")]
    for settings in asked:
        with endpoints.watchers(settings) as watched:
            assert watched is None
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    with endpoints.watchers(Settings(sink="virtual")) as watched:
        assert watched is None
