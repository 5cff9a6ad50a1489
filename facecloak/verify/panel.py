"""All classifiers on the device, asked together: the live form of a fooling-rate measurement."""

from collections.abc import Sequence

import numpy as np

from facecloak.core.types import Face, Frame, Reading, Verdict
from facecloak.verify import criteria
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier


class Panel:
    """Implements ``core.ports.Judge``.

    Args:
        classifiers: at least one.
    """

    def __init__(self, classifiers: Sequence[OnnxClassifier]) -> None:
        if not classifiers:
            msg = "a panel needs at least one classifier"
            raise ValueError(msg)
        self._classifiers = tuple(classifiers)

    def judge(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> tuple[Verdict, ...]:
        """Return one verdict for each classifier and face."""
        if not faces:
            return ()
        return tuple(
            verdict
            for classifier in self._classifiers
            for verdict in _ask(classifier, clean, cloaked, faces)
        )


def _ask(
    classifier: OnnxClassifier, clean: Frame, cloaked: Frame, faces: Sequence[Face]
) -> list[Verdict]:
    card = classifier.card
    crops = [
        face_crop(frame.image, face.face_from_frame, card.input_px)
        for frame in (clean, cloaked)
        for face in faces
    ]
    logits = classifier.logits(np.stack(crops))
    before, after = logits[: len(faces)], logits[len(faces) :]
    changed = criteria.fooled(before, after)
    readings = [_reading(row, card.labels) for row in criteria.softmax(logits)]
    return [
        Verdict(
            classifier=card.name,
            track=face.track,
            at_s=clean.captured_s,
            clean=readings[number],
            cloaked=readings[number + len(faces)],
            fooled=bool(changed[number]),
        )
        for number, face in enumerate(faces)
    ]


def _reading(probabilities: criteria.Logits, labels: Sequence[str]) -> Reading:
    best = int(probabilities.argmax())
    return Reading(labels[best], float(probabilities[best]))
