"""Finds the shipped data, in an installed wheel and in a checkout alike, and the user's own."""

from pathlib import Path

import platformdirs

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


def gradients() -> tuple[Path, ...]:
    """The gradients of classifiers that perturbations are fitted to a face with, by name."""
    return tuple(sorted((folder("models") / "gradients").glob("*.onnx")))


def surrogates() -> tuple[Path, ...]:
    """What ships beside the classifiers only because perturbations are made against it, by name."""
    there = folder("models") / "surrogates"
    return tuple(sorted([*there.glob("*.onnx"), *there.glob("*.safetensors")]))


def own_folder() -> Path:
    """Where perturbations fitted to the user's own face lie; it need not be there."""
    return Path(platformdirs.user_data_dir("facecloak")) / "perturbations"


def perturbations() -> tuple[str, ...]:
    """The names of the shipped perturbations and the user's own, in order. Raises ArtifactError."""
    folders = (folder("perturbations"), own_folder())
    return tuple(sorted({path.stem for one in folders for path in one.glob("*.safetensors")}))


def perturbation(name: str) -> Path:
    """The file of a perturbation: a shipped one or the user's own by name, or any by path.

    Raises:
        ArtifactError: there is none; the remedy lists those that there are.
    """
    file = f"{name}.safetensors"
    for candidate in (Path(name), folder("perturbations") / file, own_folder() / file):
        if candidate.is_file():
            return candidate
    names = ", ".join(perturbations()) or "none"
    msg = f"There is no perturbation called {name}."
    raise ArtifactError(msg, f"Give a file, or one of these: {names}.")
