"""Settings that several recipes share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """How far a face may stray from its canonical place and light; all ranges are symmetric."""

    rotation_deg: float = 12.0
    """Largest rotation, in degrees."""
    shift: float = 0.08
    """Largest shift along each axis, as a fraction of the face crop."""
    scale: float = 0.12
    """Largest change of size, as a fraction."""
    contrast: float = 0.25
    """Largest change of contrast, as a fraction."""
    brightness: float = 0.12
    """Largest change of brightness, in units of the full range."""
    flip: bool = True
    """Mirror half of the faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """Training on attacked faces, too."""

    attack: str = "none"
    """What attacks them: none, fgsm, pgd, trades."""
    eps: float = 8.0
    """The most that a value may change, in 8-bit levels."""
    steps: int = 7
    """Steps of pgd and trades."""
    weight: float = 0.5
    """Share of the loss that attacked faces have; for trades, factor on the divergence."""
