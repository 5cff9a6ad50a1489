import pytest

from facecloak.core import artifacts
from facecloak.core.errors import ArtifactError


def test_what_ships_is_found_and_small_enough():
    models = artifacts.models()
    assert models
    assert sum(path.stat().st_size for path in artifacts.folder("models").iterdir()) < 100e6
    assert artifacts.perturbation("default").suffix == ".safetensors"


def test_a_perturbation_can_be_a_file(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.touch()
    assert artifacts.perturbation(str(path)) == path


def test_an_unknown_one_is_named_with_those_there_are():
    with pytest.raises(ArtifactError, match=r"called nonesuch.*default"):
        artifacts.perturbation("nonesuch")
    with pytest.raises(ArtifactError, match="holds no dreams"):
        artifacts.folder("dreams")


def test_ones_own_are_found_by_name_beside_the_shipped_and_never_instead(monkeypatch, tmp_path):
    monkeypatch.setattr(artifacts, "own_folder", lambda: tmp_path)
    for name in ("personal", "default"):
        (tmp_path / f"{name}.safetensors").touch()
    assert artifacts.perturbation("personal") == tmp_path / "personal.safetensors"
    assert artifacts.perturbation("default").parent == artifacts.folder("perturbations")
    names = artifacts.perturbations()
    assert "personal" in names
    assert names.count("default") == 1
    assert list(names) == sorted(names)
