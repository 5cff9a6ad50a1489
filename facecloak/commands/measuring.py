"""What a protected file amounts to, measured on the frames themselves while they pass."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from facecloak import __version__
from facecloak.app import Protection
from facecloak.cloak.opencv_cloak import face_box
from facecloak.cloak.selector import told
from facecloak.core.types import Face, Frame, Output
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.report import RunReport
from facecloak.verify.visibility import psnr, ssim

_SSIM_EVERY = 5
_SMALLEST_PX = 11


class Measurer:
    """An observer of a run: how far cloaked frames are from the captured ones.

    Args:
        displaced: the frame with its faces moved and nothing added.
        mixes: the shares of the perturbation's members that each face of a frame gets, by label.

    Attributes:
        inside: the most that was added to a channel within a face's box, in levels.
        outside: largest change anywhere else; 0 unless something is wrong.
    """

    def __init__(
        self,
        displaced: Callable[[Frame, Sequence[Face]], Frame],
        mixes: Callable[[Frame, Sequence[Face]], Sequence[Mapping[str, float]]],
    ) -> None:
        self._displaced = displaced
        self._mixes = mixes
        self.inside = 0
        self.outside = 0
        self._psnr: list[float] = []
        self._ssim: list[float] = []
        self._fooled: dict[str, Counter[str]] = {}
        self._cloaked = 0
        self._members: dict[str, float] = {}
        self._faces = 0

    def __call__(self, clean: Frame, protected: Protected) -> None:
        """Look at one frame."""
        for verdict in protected.verdicts:
            readings = self._fooled.setdefault(verdict.classifier, Counter())
            readings[f"{verdict.clean.label} -> {verdict.cloaked.label}"] += 1
        if protected.output is not Output.CLOAKED:
            return
        moved = self._displaced(clean, protected.faces.found).image
        change = cv2.absdiff(clean.image, protected.frame.image)
        added = cv2.absdiff(moved, protected.frame.image)
        height, width = change.shape[:2]
        for face in protected.faces.found:
            left, top, right, bottom = face_box(face.face_from_frame, width, height)
            box = (slice(top, bottom), slice(left, right))
            self.inside = max(self.inside, int(added[box].max(initial=0)))
            if min(bottom - top, right - left) >= _SMALLEST_PX and added[box].any():
                pair = moved[box], protected.frame.image[box]
                self._psnr.append(psnr(*pair))
                if self._cloaked % _SSIM_EVERY == 0:
                    self._ssim.append(ssim(*pair))
            change[box] = 0
        for mix in self._mixes(clean, protected.faces.found):
            for name, share in mix.items():
                label = told(name)
                self._members[label] = self._members.get(label, 0.0) + share
            self._faces += 1
        self._cloaked += 1
        self.outside = max(self.outside, int(change.max()))

    def visibility(self) -> dict[str, float | None]:
        """Mean PSNR and SSIM over the boxes of the faces that something was added to.

        Both compare with the moved face: whoever looks does not see by how much it moved. None
        where nothing was added.
        """
        return {
            "psnr_db": float(np.mean(self._psnr)) if self._psnr else None,
            "ssim": float(np.mean(self._ssim)) if self._ssim else None,
        }

    def members(self) -> dict[str, float]:
        """Which share of the cloaked faces each member of the perturbation was laid on.

        A face is counted in each frame anew, and in parts while one member fades to another.
        """
        shares = {label: count / self._faces for label, count in self._members.items()}
        return dict(sorted(shares.items(), key=lambda one: -one[1]))

    def readings(self) -> dict[str, dict[str, int]]:
        """By classifier: how often which reading became which."""
        return {name: dict(sorted(pairs.items())) for name, pairs in self._fooled.items()}


def report(
    made: Protection, run: RunReport, measured: Measurer, *, strength: float
) -> dict[str, Any]:
    """Everything about a run that can be told without showing a face, as plain JSON values."""
    return {
        "facecloak": __version__,
        "seconds": run.seconds,
        "frames": {"in": run.frames_in, "out": run.frames_out, "dropped": run.dropped}
        | run.outputs,
        "faces": run.faces,
        "strength": strength,
        "budget_levels": made.budget,
        "displacement": {
            "shift": made.header.shift * strength,
            "strain": made.header.strain * strength,
        },
        "largest_change_levels": {"faces": measured.inside, "elsewhere": measured.outside},
        "face": measured.visibility(),
        "classifiers": {
            name: {
                "judged": fooling.judged,
                "fooled": fooling.fooled,
                "fooling_rate": fooling.rate,
                "readings": measured.readings().get(name, {}),
            }
            for name, fooling in run.classifiers.items()
        },
        "models": {
            card.name: {"sha256": card.sha256, "device": device, "frames": card.frames}
            for card, device in zip(made.cards, made.devices, strict=True)
        },
        "perturbation": dataclasses.asdict(made.header),
        "members": measured.members(),
        "stages_ms": run.stages,
    }
