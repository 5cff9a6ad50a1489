"""Grids of stubs, each in a folder of its own."""

from pathlib import Path

import pytest

from tests.training.grid_driver import GRID


@pytest.fixture(autouse=True)
def stub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRID_STUB", str(tmp_path))
    Path("data.npz").write_text("faces")
    Path("starts.txt").touch()


@pytest.fixture
def grid(tmp_path):
    def make(*seeds, name="grid"):
        path = tmp_path / f"{name}.toml"
        path.write_text(GRID.replace("SEEDS", str([*seeds])))
        return path

    return make


@pytest.fixture
def root(tmp_path):
    return tmp_path / "out"
