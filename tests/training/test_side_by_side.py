"""Faces measured in several processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from facecloak_train.measure.side_by_side import side_by_side
from facecloak_train.run import RunError

from tests.fakes.workers import counting, dying


@pytest.mark.slow
def test_every_face_is_measured_once_and_elsewhere():
    rows = [row for some in side_by_side(counting, 100, range(7), 2) for row in some]
    assert sorted((row["number"], row["further"]) for row in rows) == [
        (number, number + 100) for number in range(7)
    ]
    assert os.getpid() not in {row["by"] for row in rows}


def test_no_face_is_no_row():
    assert not [*side_by_side(counting, 0, [], 2)]


@pytest.mark.slow
def test_a_process_that_dies_is_told_with_the_remedy():
    with pytest.raises(RunError, match="a process of --workers died"):
        [*side_by_side(dying, 0, [1, 2, 3], 2)]


@pytest.mark.slow
def test_workers_end_with_who_began_them(tmp_path):
    """However that one ends: it is killed here, and cannot tell them."""
    script = tmp_path / "parent.py"
    script.write_text(
        "from facecloak_train.measure.side_by_side import side_by_side\n"
        "from tests.fakes.workers import lingering\n"
        "if __name__ == '__main__':\n"
        "    next(side_by_side(lingering, 'begun', [1], 1))\n"
    )
    found = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, env=found, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.read(5) == b"begun"
        killed_s = time.monotonic()
        parent.kill()
        parent.stdout.read()  # until nobody is left who could write
    assert time.monotonic() - killed_s < 60.0
