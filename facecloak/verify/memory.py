"""What was seen of each face a moment ago, for classifiers that look at clips."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.types import Face, Frame
from facecloak.verify.crop import face_crop

_GAP_S: Final = 0.15
"""The longest time between two pictures that a clip may bridge."""

Pair = NDArray[np.uint8]
"""A face as captured and as sent, ``uint8[2, S, S]``, grey and aligned."""


class Memory:
    """The latest crops of every face. One thread uses it.

    Args:
        size_px: side of a crop.
        span_s: how far back it remembers.
    """

    def __init__(self, size_px: int, span_s: float) -> None:
        self._size_px = size_px
        self._span_s = span_s
        self._tracks: dict[int, deque[tuple[float, Pair]]] = {}

    def see(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> None:
        """Take in one frame. What is too old, and whoever is not there any more, is forgotten.

        A frame that is not later than the one before begins anew.

        Raises:
            FaceCloakError: OpenCV cannot crop a face.
        """
        now_s = clean.captured_s
        kept = {face.track: self._tracks.get(face.track, deque()) for face in faces}
        for face in faces:
            past = kept[face.track]
            if past and now_s <= past[-1][0]:
                past.clear()
            crops = [
                face_crop(frame.image, face.face_from_frame, self._size_px)
                for frame in (clean, cloaked)
            ]
            past.append((now_s, np.stack(crops)))
            while now_s - past[0][0] > self._span_s + _GAP_S:
                past.popleft()
        self._tracks = kept

    def clips(self, track: int, frames: int, fps: float) -> NDArray[np.uint8] | None:
        """The latest clip of a face, as captured and as sent.

        Cameras drop frames, so it is sampled anew at equal steps, between two pictures their
        weighted mean.

        Args:
            track: of the face.
            frames: how many the clip has.
            fps: how many of them there are in a second.

        Returns:
            ``uint8[2, frames, S, S]``; None while too little was seen, or not closely enough.
        """
        past = self._tracks.get(track)
        if not past:
            return None
        times_s = np.array([at_s for at_s, _ in past])
        at = times_s[-1] - np.arange(frames - 1, -1, -1) / fps
        if at[0] < times_s[0] - 0.5 / fps or (np.diff(times_s) > _GAP_S).any():
            return None
        place = np.interp(at, times_s, np.arange(len(times_s)))
        before = np.minimum(place.astype(int), max(0, len(times_s) - 2))
        after = np.minimum(before + 1, len(times_s) - 1)
        pairs = np.stack([pair for _, pair in past])
        share = (place - before)[:, None, None, None]
        mixed = pairs[before] * (1.0 - share) + pairs[after] * share
        clips: NDArray[np.uint8] = np.rint(mixed).astype(np.uint8).swapaxes(0, 1)
        return clips
