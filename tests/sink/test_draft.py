import os

import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.sink.draft import Draft, cannot_write


def test_the_file_stands_under_its_name_only_when_kept(tmp_path):
    final = tmp_path / "out.png"
    draft = Draft(final)
    assert draft.path.suffix == ".png"
    assert draft.path.name.startswith(".")
    draft.path.write_text("whole")
    assert not final.exists()
    draft.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert final.read_text() == "whole"


def test_dropping_leaves_what_stood_there(tmp_path):
    final = tmp_path / "out.png"
    final.write_text("before")
    Draft(final).drop()
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert final.read_text() == "before"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SinkUnavailable, match="there is no such folder") as caught:
        Draft(tmp_path / "no" / "out.png")
    assert str(tmp_path / "no") in caught.value.remedy


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(SinkUnavailable, match=r"is a folder\. Name a file"):
        Draft(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SinkUnavailable, match="Permission denied"):
        Draft(tmp_path / "out.png")


def test_a_full_disk_says_so(tmp_path):
    told = cannot_write(tmp_path / "out.mp4", OSError(28, "No space left on device"))
    assert told.what.endswith("No space left on device.")
    assert told.remedy.startswith("Free some space")
