"""A still face that moves for a blink of time: one clip of the synthetic stand-in set.

What a clip shows is an expression that rises and falls within a tenth to half a second, and what
else moves or changes in a video: the head, the lids, the light, the sensor, the aligned box.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core.types import Points
from facecloak_train.data.synthetic.action_units import (
    ACTION_UNITS,
    BLINK,
    Field,
    displacement,
)
from facecloak_train.nets.clips import CLIP_FPS, CLIP_PX

FRAMES: Final = 18
_UPPER_LID, _LOWER_LID = 159, 145


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Still:
    """A face at rest.

    Attributes:
        image: ``float32[112, 112]``, grey, 0 to 255, aligned as the live app aligns it.
        points: ``float64[468, 2]``, its mesh, in pixels of it.
    """

    image: NDArray[np.float32]
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """How much of everything; ranges to draw from."""

    expression: tuple[float, float] = (0.012, 0.03)
    """Largest displacement of the skin, in face widths."""
    duration_s: tuple[float, float] = (0.1, 0.5)
    """From onset to offset."""
    sway_px: float = 0.6
    """Of the head, and of the box around it."""
    turn_deg: float = 0.4
    blinks: float = 0.25
    """Share of the clips with one."""
    flicker: float = 0.012
    """Of the light, as a share of it."""
    noise: tuple[float, float] = (0.6, 2.0)
    """Of the sensor, in 8-bit levels."""
    grain: float = 3.0
    """Of the skin, which the 48 pixels of the source do not hold, in 8-bit levels."""


def render(
    still: Still, units: tuple[int, ...], amounts: Amounts, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A clip of the face showing some action units: ``uint8[18, 112, 112]``, 30 frames a second."""
    times_s = np.arange(FRAMES) / CLIP_FPS
    fields = _expression(still, units, amounts, rng)
    shown = _course(times_s, rng.uniform(*amounts.duration_s), rng)
    blink = _blink(times_s, rng) if rng.random() < amounts.blinks else np.zeros(FRAMES)
    lids = _lids(still.points)
    sway = [_wander(times_s, amounts.sway_px, rng) for _ in range(2)]
    turn = _wander(times_s, math.radians(amounts.turn_deg), rng)
    zoom = _wander(times_s, 0.003, rng)
    light = _light(times_s, amounts.flicker, rng)
    sigma = rng.uniform(*amounts.noise)
    grain = cv2.GaussianBlur(rng.normal(size=(CLIP_PX, CLIP_PX)).astype(np.float32), (0, 0), 0.8)
    skin = still.image + amounts.grain * grain / grain.std()

    rows, columns = np.mgrid[:CLIP_PX, :CLIP_PX].astype(np.float32)
    middle = (CLIP_PX - 1) / 2
    clip = np.empty((FRAMES, CLIP_PX, CLIP_PX), np.uint8)
    for number in range(FRAMES):
        moved = shown[number] * fields + blink[number] * lids
        x, y = columns - middle - sway[0][number], rows - middle - sway[1][number]
        cos, sin = np.cos(turn[number]) * (1 + zoom[number]), np.sin(turn[number])
        clip[number] = _picture(
            skin,
            cos * x - sin * y + middle - moved[..., 0],
            sin * x + cos * y + middle - moved[..., 1],
            light[number],
            rng.normal(scale=sigma, size=skin.shape),
        )
    return clip


def _picture(
    skin: NDArray[np.float32], x: Field, y: Field, light: float, noise: NDArray[np.float64]
) -> NDArray[np.uint8]:
    placed = cv2.remap(
        skin,
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    levels: NDArray[np.uint8] = np.clip(np.rint(placed * light + noise), 0, 255).astype(np.uint8)
    return levels


def _expression(
    still: Still, units: tuple[int, ...], amounts: Amounts, rng: np.random.Generator
) -> Field:
    """Where the skin is at the apex, ``float32[112, 112, 2]``; people are not symmetric."""
    sides = (rng.uniform(0.7, 1.3), rng.uniform(0.7, 1.3))
    apex = np.zeros((CLIP_PX, CLIP_PX, 2), np.float32)
    for unit in units:
        apex += rng.uniform(0.7, 1.3) * displacement(
            ACTION_UNITS[unit], still.points, CLIP_PX, sides
        )
    largest = float(np.linalg.norm(apex, axis=-1).max())
    return apex * np.float32(rng.uniform(*amounts.expression) * CLIP_PX / max(largest, 1e-6))


def _course(
    times_s: NDArray[np.float64], duration_s: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Onset, apex and offset, from 0 to 1; some of it may stay."""
    onset_s = rng.uniform(0.0, max(1e-3, times_s[-1] - duration_s))
    rise_s = duration_s * rng.uniform(0.3, 0.6)
    hold_s = duration_s * rng.uniform(0.0, 0.2)
    fall_s = duration_s - rise_s - hold_s
    up = np.clip((times_s - onset_s) / rise_s, 0.0, 1.0)
    down = np.clip((times_s - onset_s - rise_s - hold_s) / fall_s, 0.0, 1.0)
    left = rng.uniform(0.0, 0.2)
    return _smooth(up) * (1.0 - (1.0 - left) * _smooth(down))


def _blink(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    middle_s, half_s = rng.uniform(times_s[0], times_s[-1]), rng.uniform(0.06, 0.15)
    return _smooth(np.clip(1.0 - np.abs(times_s - middle_s) / half_s, 0.0, 1.0))


def _lids(points: Points) -> Field:
    """Where the upper lids go when the eyes close."""
    open_px = float(np.hypot(*(points[_LOWER_LID] - points[_UPPER_LID])))
    return displacement(BLINK, points, CLIP_PX) * np.float32(0.85 * open_px)


def _wander(
    times_s: NDArray[np.float64], amount: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A smooth walk of a few waves a second, and the tremble of an aligned box."""
    waves = sum(
        rng.normal() * np.sin(2.0 * math.pi * (hertz * times_s + rng.random()))
        for hertz in (0.5, 1.2, 2.5)
    )
    tremble = 0.15 * rng.normal(size=len(times_s))
    walk: NDArray[np.float64] = amount * (0.5 * waves + tremble)
    return walk


def _light(
    times_s: NDArray[np.float64], amount: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The gain of the light: lamps that beat with the camera, a cloud that passes, or both."""
    beat = np.sin(2.0 * math.pi * (rng.uniform(2.0, 12.0) * times_s + rng.random()))
    drift = rng.normal() * (times_s - times_s.mean()) / times_s[-1]
    gain: NDArray[np.float64] = 1.0 + amount * (rng.random() * beat + drift)
    return gain


def _smooth(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return share * share * (3.0 - 2.0 * share)
