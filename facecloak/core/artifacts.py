"""Finds the shipped data, in an installed wheel and in a checkout alike."""

from pathlib import Path

from facecloak.core.errors import ArtifactError

_PACKAGE = Path(__file__).resolve().parents[1]


def folder(kind: str) -> Path:
    """The folder of ``"models"`` or ``"perturbations"``.

    Raises:
        ArtifactError: this installation holds no such data.
    """
    for candidate in (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind):
        if candidate.is_dir():
            return candidate
    msg = f"This installation holds no {kind}."
    raise ArtifactError(msg, "Reinstall FaceCloak.")


def models() -> tuple[Path, ...]:
    """Every shipped classifier, by name. Raises ArtifactError when there is none."""
    found = tuple(sorted(folder("models").glob("*.onnx")))
    if not found:
        msg = "There is no classifier in models/."
        raise ArtifactError(msg, "Reinstall FaceCloak, or make one with `facecloak-train export`.")
    return found


def surrogates() -> tuple[Path, ...]:
    """Weights that ship beside the classifiers only because perturbations are made against them."""
    return tuple(sorted((folder("models") / "surrogates").glob("*.safetensors")))


def perturbations() -> tuple[str, ...]:
    """The names of the shipped perturbations, in order. Raises ArtifactError."""
    return tuple(sorted(path.stem for path in folder("perturbations").glob("*.safetensors")))


def perturbation(name: str) -> Path:
    """The file of a perturbation: a shipped one by name, or any by path.

    Raises:
        ArtifactError: there is none; the remedy lists the shipped ones.
    """
    asked = Path(name)
    for candidate in (asked, folder("perturbations") / f"{name}.safetensors"):
        if candidate.is_file():
            return candidate
    names = ", ".join(perturbations()) or "none"
    msg = f"There is no perturbation called {name}."
    raise ArtifactError(msg, f"Give a file, or one of those shipped: {names}.")
