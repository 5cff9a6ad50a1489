import sys

import pytest

from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.sink import NullSink, PictureSink, VideoSink, Y4mSink, open_sink


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("null", NullSink),
        ("-", Y4mSink),
        ("out.PNG", PictureSink),
        ("out.jpeg", PictureSink),
        ("out.mp4", VideoSink),
        ("out.webm", VideoSink),
    ],
)
def test_a_name_chooses_its_sink(name, kind):
    assert type(open_sink(name, fps=30.0, size=(64, 48))) is kind


@pytest.mark.parametrize("name", ["preview", "virtual", "/dev/video9"])
def test_devices_are_imported_when_chosen(name):
    kind = {"preview": "PreviewSink"}.get(name, "VirtualCameraSink")
    assert type(open_sink(name, fps=30.0, size=(64, 48))).__name__ == kind


@pytest.mark.parametrize(("name", "module"), [("preview", "preview"), ("virtual", "virtualcam")])
def test_a_missing_library_is_told(monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, f"facecloak.sink.{module}", None)
    with pytest.raises(SinkUnavailable):
        open_sink(name, fps=30.0, size=(64, 48))


@pytest.mark.parametrize("name", ["out", "out.txt", "out.gif", "nul"])
def test_an_unknown_suffix_lists_those_that_work(name):
    with pytest.raises(ConfigError, match="names no format that can be written") as caught:
        open_sink(name, fps=30.0, size=(64, 48))
    assert ".mkv, .mov, .mp4, .webm, .bmp" in caught.value.remedy


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.jpg"])
def test_what_cannot_be_lossless_is_refused(name):
    with pytest.raises(ConfigError, match="cannot be lossless"):
        open_sink(name, fps=30.0, size=(64, 48), lossless=True)
