"""What a wheel holds, and that no two distributions own one package."""

import importlib.metadata
import pathlib
import zipfile

import pytest

from facecloak.core import artifacts

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(ROOT))
    (path,) = builder.build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.mark.slow
def test_the_wheel_holds_two_packages_and_nothing_else(wheel):
    (about,) = {name.split("/")[0] for name in wheel} - {"facecloak", "facecloak_train"}
    assert about.startswith("facecloak-")
    assert about.endswith(".dist-info")
    held = {name for name in wheel if not name.startswith(about)}
    assert {"facecloak/py.typed", "facecloak/cli.py", "facecloak_train/cli.py"} <= held
    assert not [name for name in held if "/tests/" in name or name.endswith((".pyc", ".pkl"))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["models", "perturbations"])
def test_the_wheel_holds_the_shipped_data(wheel, kind):
    there = {path.name for path in artifacts.folder(kind).rglob("*") if path.is_file()}
    inside = {name.split("/")[-1] for name in wheel if name.startswith(f"facecloak/_data/{kind}/")}
    assert there
    assert inside == there


@pytest.mark.parametrize("package", ["cv2", "onnxruntime", "mediapipe"])
def test_one_distribution_owns(package):
    assert len(set(importlib.metadata.packages_distributions()[package])) == 1
