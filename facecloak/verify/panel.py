"""All classifiers on the device, asked together: the live form of a fooling-rate measurement."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from facecloak.core.types import Face, Frame, Reading, Verdict
from facecloak.verify import criteria
from facecloak.verify.crop import face_crop
from facecloak.verify.memory import Memory
from facecloak.verify.onnx_judge import OnnxClassifier

_CLIPS_EVERY_S: Final = 0.25
"""Least time between two clips of a classifier, in seconds of frame time."""


class Panel:
    """Implements ``core.ports.Judge``.

    Classifiers of clips answer once they have seen enough of a face, and a few times a second.

    Args:
        classifiers: at least one of still faces, so that every face gets a verdict at once.

    Raises:
        ValueError: there is none of still faces.
    """

    def __init__(self, classifiers: Sequence[OnnxClassifier]) -> None:
        self._stills = tuple(one for one in classifiers if not one.card.is_clip)
        self._clips = tuple(one for one in classifiers if one.card.is_clip)
        if not self._stills:
            msg = "a panel needs at least one classifier of still faces"
            raise ValueError(msg)
        span_s = max((one.card.frames / one.card.fps for one in self._clips), default=0.0)
        sizes = {one.card.input_px for one in self._clips}
        self._memories = {size_px: Memory(size_px, span_s) for size_px in sizes}
        self._asked_s = float("-inf")

    @property
    def watches(self) -> bool:
        """Whether there are classifiers of clips, which want to see every frame."""
        return bool(self._memories)

    def watch(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> None:
        """Remember the faces of a frame for the classifiers of clips."""
        for memory in self._memories.values():
            memory.see(clean, cloaked, faces)

    def judge(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> tuple[Verdict, ...]:
        """Return one verdict for each classifier and face; of clips, where it is time for one."""
        if not faces:
            return ()
        verdicts = [
            verdict
            for classifier in self._stills
            for verdict in _ask(classifier, clean, cloaked, faces)
        ]
        if 0 <= clean.captured_s - self._asked_s < _CLIPS_EVERY_S:
            return tuple(verdicts)
        self._asked_s = clean.captured_s
        for classifier in self._clips:
            verdicts += self._ask_of_clips(classifier, clean.captured_s, faces)
        return tuple(verdicts)

    def _ask_of_clips(
        self, classifier: OnnxClassifier, at_s: float, faces: Sequence[Face]
    ) -> list[Verdict]:
        card = classifier.card
        memory = self._memories[card.input_px]
        seen = {face.track: memory.clips(face.track, card.frames, card.fps) for face in faces}
        clips = {track: pair for track, pair in seen.items() if pair is not None}
        if not clips:
            return []
        pairs = np.stack([*clips.values()])
        logits = classifier.logits(np.concatenate([pairs[:, 0], pairs[:, 1]]))
        return _verdicts(classifier, logits, tuple(clips), at_s)


def _ask(
    classifier: OnnxClassifier, clean: Frame, cloaked: Frame, faces: Sequence[Face]
) -> list[Verdict]:
    crops = [
        face_crop(frame.image, face.face_from_frame, classifier.card.input_px)
        for frame in (clean, cloaked)
        for face in faces
    ]
    logits = classifier.logits(np.stack(crops))
    return _verdicts(classifier, logits, [face.track for face in faces], clean.captured_s)


def _verdicts(
    classifier: OnnxClassifier, logits: criteria.Logits, tracks: Sequence[int], at_s: float
) -> list[Verdict]:
    """Verdicts from logits, ``float32[2 N, C]``: of N faces as captured, then as sent."""
    card, count = classifier.card, len(tracks)
    changed = criteria.fooled(logits[:count], logits[count:])
    readings = [_reading(row, card.labels) for row in criteria.softmax(logits)]
    return [
        Verdict(
            classifier=card.name,
            track=track,
            at_s=at_s,
            clean=readings[number],
            cloaked=readings[number + count],
            fooled=bool(changed[number]),
        )
        for number, track in enumerate(tracks)
    ]


def _reading(probabilities: criteria.Logits, labels: Sequence[str]) -> Reading:
    best = int(probabilities.argmax())
    return Reading(labels[best], float(probabilities[best]))
