"""What a bank of perturbations costs on the CPU: a face on one member, and one that changes.

    python benchmarks/fading.py [--frames 200] [--face-px 300]

Prints medians for each face: of the mixing alone, and of the whole compositor on a 1280x720 frame.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from facecloak.cloak.dose import Dose
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.cloak.selector import FADE_S, Mix, Selector
from facecloak.core import displacement, geometry
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Face, Frame, Reading, Verdict

ANSWERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def made() -> Bank:
    """Eight members at random, each with a pattern of 48 cells and a displacement."""
    header = Header(
        eps=4.0,
        method="random",
        seed=0,
        datasets=(),
        victims=(),
        shift=0.0101,
        strain=0.3,
        format=3,
        answers=ANSWERS,
        selector="any net",
    )
    rng = np.random.default_rng(0)

    def member() -> Perturbation:
        field = rng.normal(0, 1, (2, 6, 6)).astype(np.float32)
        field *= np.float32(0.01 / displacement.largest(field))
        static = np.where(rng.random((48, 48)) < 0.5, 4, -4).astype(np.float32)
        return Perturbation(header, static, displacement=field)

    return Bank(header, {label: member() for label in ("any", *ANSWERS)})


def median_ms(work: Callable[[int], object], frames: int) -> float:
    """Milliseconds of ``work(index)``, once everything is warm."""
    taken = []
    for index in range(frames + 10):
        began_s = time.perf_counter()
        work(index)
        taken.append(1000 * (time.perf_counter() - began_s))
    return float(np.median(taken[10:]))


def give(part: Callable[..., object], *asked: object) -> object:
    """``part`` of a dose; the last of ``asked`` is the frame's index, which it does not need."""
    return part(*asked[:-1])


def heard(label: str) -> Verdict:
    """The selector reads this at 0 s."""
    return Verdict("any net", 1, 0.0, Reading(label, 0.9), Reading("sad", 0.5), fooled=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--face-px", type=float, default=300.0)
    asked = parser.parse_args()
    bank, side = made(), asked.face_px
    corner = np.array([[side, 0.0, 500.0], [0.0, side, 150.0]])
    face = Face(1, geometry.invert(corner))
    image = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    dose = Dose(bank, 1.0)
    mixes: dict[str, Mix] = {
        "one member": {"happy": 1.0},
        "fading, two": {"happy": 0.4, "sad": 0.6},
        "fading, three": {"any": 0.2, "happy": 0.3, "sad": 0.5},
    }
    for name, mix in mixes.items():
        steps = median_ms(partial(give, dose.steps, mix, side, 0.0), asked.frames)
        shift = median_ms(partial(give, dose.shift, mix), asked.frames)
        print(f"{name}: pattern {steps:.4f} ms, displacement {shift:.4f} ms")
    selector = Selector("any net", ANSWERS)
    selector.hear([heard("happy")])

    def select(index: int) -> None:
        selector.see([1], index / 30)
        selector.mix(1, index / 30)

    print(f"selector: {median_ms(select, asked.frames):.4f} ms a frame")
    settled = OpenCvCloak(bank)
    settled.hear([heard("happy")])
    told = median_ms(lambda n: settled.apply(Frame(image, n / 30, n), [face]), asked.frames)
    print(f"whole compositor: one member {told:.2f} ms")
    fading = OpenCvCloak(bank)
    fading.apply(Frame(image, 0.0, 0), [face])
    fading.hear([heard("happy")])
    half_s = FADE_S / 2
    told = median_ms(lambda n: fading.apply(Frame(image, half_s, n), [face]), asked.frames)
    print(f"whole compositor: fading {told:.2f} ms")


if __name__ == "__main__":
    main()
