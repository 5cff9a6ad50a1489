"""``facecloak`` as a user starts it: a process with a window, off screen."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

COMMAND = [sys.executable, "-m", "facecloak"]


@pytest.fixture
def around(tmp_path):
    """A home of its own, the demo as camera, and no virtual camera."""
    chosen = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "FACECLOAK_SOURCE": "demo",
        "FACECLOAK_SINK": str(tmp_path / "out.mkv"),
    }
    (tmp_path / "config/facecloak").mkdir(parents=True)
    return os.environ | chosen


def started(around, *command):
    return subprocess.run(
        [*COMMAND, *command], env=around, capture_output=True, text=True, timeout=60, check=False
    )


def lines_until(process, wanted):
    said = []
    for line in process.stderr:
        said.append(line.strip())
        if wanted in line:
            return said
    pytest.fail(f"it ended without {wanted!r}: {said}")


def test_it_protects_says_so_and_ends_cleanly(around, tmp_path):
    process = subprocess.Popen(COMMAND, env=around, stderr=subprocess.PIPE, text=True)
    try:
        lines_until(process, "output: shield -> cloaked")
        second = started(around)
        assert second.returncode == 0
        assert "runs already" in second.stderr
        for expected in ("cloaked -> shield", "shield -> cloaked"):  # "hide" hides, and shows again
            assert started(around, "hide").returncode == 0
            lines_until(process, expected)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    assert (tmp_path / "out.mkv").stat().st_size > 10_000


def test_hiding_where_none_runs_says_what_to_do(around):
    done = started(around, "hide")
    assert done.returncode == 2
    assert done.stderr == (
        "facecloak: No window or tray of FaceCloak runs, so there is nothing to hide. "
        "Start it: facecloak\n"
    )


def test_without_a_display_it_says_what_to_do(around):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        around.pop(name, None)
    done = started(around)
    assert done.returncode == 3
    assert "facecloak run" in done.stderr


def test_a_broken_settings_file_does_not_keep_it_from_opening(around, tmp_path):
    file = tmp_path / "config/facecloak/settings.toml"
    file.write_text("strength = [")
    process = subprocess.Popen(COMMAND, env=around, stderr=subprocess.PIPE, text=True)
    try:
        lines_until(process, "renamed to settings.toml.broken")
        lines_until(process, "output: shield -> cloaked")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert file.with_name("settings.toml.broken").read_text() == "strength = ["
