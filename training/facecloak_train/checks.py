"""Whether a classifier can be trained as it is asked for."""

from facecloak_train import run
from facecloak_train.data import fer2013
from facecloak_train.settings import FitSettings

_SIZES_PX = range(32, fer2013.FACE_PX + 1)
"""From the smallest face that every architecture takes, as vgg19 halves it five times, to all."""


def check(settings: FitSettings, faces: int, *, features: bool) -> None:
    """Refuse settings that nothing can be trained with.

    Args:
        settings: of the run.
        faces: how many there are to train with.
        features: whether there are features of them.

    Raises:
        RunError: the settings are such; it tells which to change.
    """
    mixup, hard, px = settings.mixup, settings.hardening.attack != "none", settings.input_px
    batch, small = settings.batch, settings.small_px if settings.small_epochs > 0 else px
    jitter = settings.jitter
    faults = {
        f"--mixup is {mixup}; give 0, which mixes nothing, or more": mixup < 0.0,
        "features of mixed faces are not known; give --mixup 0 with --features": features
        and mixup > 0.0,
        "features of attacked faces are not known; give --hardening-attack none": features and hard,
        f"--epochs is {settings.epochs}; give 1 or more": settings.epochs < 1,
        f"--learning-rate is {settings.learning_rate}; give more than 0": not (
            settings.learning_rate > 0.0
        ),
        f"--checkpoint-steps is {settings.checkpoint_steps}; give 1 or more": (
            settings.checkpoint_steps < 1
        ),
        f"--seed is {settings.seed}; give 0 or more": settings.seed < 0,
        "there are no teachers to be consistent; give --teachers": settings.teachers_consistent
        and not settings.teachers,
        "consistent teachers see faces at --input-px alone; give --small-epochs 0": (
            settings.teachers_consistent and settings.small_epochs > 0
        ),
        f"--batch is {batch}; give 1 to {faces}, the training faces": not 0 < batch <= faces,
        f"--input-px is {px}; give 32 to 48": px not in _SIZES_PX,
        f"--small-px is {small}; give 32 to 48": small not in _SIZES_PX,
    }
    for name, share in {
        "teachers-share": settings.teachers_share,
        "erase": settings.erase,
        "label-smoothing": settings.label_smoothing,
        "jitter-shift": jitter.shift,
        "jitter-scale": jitter.scale,
        "jitter-contrast": jitter.contrast,
        "jitter-brightness": jitter.brightness,
    }.items():
        faults[f"--{name} is {share}; give 0 to 1"] = not 0.0 <= share <= 1.0
    for fault, is_there in faults.items():
        if is_there:
            raise run.RunError(fault)
