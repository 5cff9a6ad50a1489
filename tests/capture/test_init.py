from pathlib import Path

import pytest

from facecloak.capture import (
    DemoSource,
    PictureSource,
    RecoveringSource,
    VideoSource,
    open_source,
)
from facecloak.core.errors import ConfigError


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
