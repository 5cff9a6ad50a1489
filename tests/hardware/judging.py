"""Judges pictures that another program received: slate, protected face, or raw face."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

import cv2
import numpy as np

from facecloak.cloak.slate import Slate
from facecloak.verify import criteria
from facecloak.verify.crop import face_crop
from tests.hardware import timecode
from tests.hardware.portrait import Expected, classifiers, expect, size

SLATE_OFF_BY = 6.0
"""A slate that went through a driver or a codec differs by fewer levels on average."""


def is_slate(picture) -> bool:
    """Whether it is what FaceCloak shows instead of a picture, whatever its size."""
    slate = Slate().slate(picture.shape[1], picture.shape[0])
    return bool(cv2.absdiff(picture, slate).mean() < SLATE_OFF_BY)


SAME_WITHIN = 2.0
"""One and the same picture differs by fewer levels on average after drivers, without a codec."""
SIMILAR_WITHIN = 12.0
"""A picture whose code cannot be read is taken for the most similar one of the film up to this."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """What one received picture is, compared with what was sent, in levels of grey.

    Attributes:
        index: of the picture of the film.
        guessed: the code could not be read, the index is that of the most similar picture.
        face_change: mean difference from the raw picture within the face.
        elsewhere_change: the same outside of the face's box and of the code.
        likeness: how far the change is the cloak that belongs there: its share along it, 0 for a
            raw face and 1 for a protected one.
        fooled: whether a classifier's reading is another than of the raw picture, by its name.
    """

    index: int
    guessed: bool
    face_change: float
    elsewhere_change: float
    likeness: float
    fooled: dict[str, bool]

    @property
    def torn(self) -> bool:
        """Whether a part of it is of another picture of the film, as drivers hand out at times.

        v4l2loopback has two buffers: a reader that is late sees one while it is written anew.
        """
        return self.guessed or self.elsewhere_change > SAME_WITHIN


def judge(picture, expected: Expected, index: int, readers, *, guessed=False) -> Judged:
    """Compare one picture with what it should be; it may come in another size."""
    height, width = expected.raw.shape[:2]
    if picture.shape != expected.raw.shape:
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    raw, wanted, got = (
        cv2.cvtColor(each, cv2.COLOR_BGR2GRAY).astype(np.float32)
        for each in (expected.raw, expected.protected, picture)
    )
    change, cloak = (got - raw), (wanted - raw)[expected.box]
    inside = change[expected.box]
    elsewhere = np.ones_like(raw, bool)
    elsewhere[expected.box] = False
    timecode.corner(elsewhere)[:] = False
    return Judged(
        index=index,
        guessed=guessed,
        face_change=float(np.abs(inside[cloak != 0]).mean()),
        elsewhere_change=float(np.abs(change[elsewhere]).mean()),
        likeness=float((inside * cloak).sum() / (cloak * cloak).sum()),
        fooled={
            each.card.name: _differs(each, expected.raw, picture, expected.face_from_frame)
            for each in readers
        },
    )


def _differs(classifier, raw, picture, face_from_frame) -> bool:
    size_px = classifier.card.input_px
    crops = np.stack([face_crop(each, face_from_frame, size_px) for each in (raw, picture)])
    logits = classifier.logits(crops)
    return bool(criteria.fooled(logits[:1], logits[1:])[0])


@dataclasses.dataclass(frozen=True)
class Sorted:
    """Received pictures by what they are; ``unknown`` ones are neither slate nor of the film."""

    slates: int
    unknown: list[int]
    judged: list[Judged]

    def summary(self) -> dict:
        """The figures, as plain JSON values."""
        count = len(self.judged)
        fooled = Counter(name for one in self.judged for name, is_so in one.fooled.items() if is_so)
        names = self.judged[0].fooled if self.judged else ()
        return {
            "pictures": count,
            "slates": self.slates,
            "unknown": len(self.unknown),
            "guessed": sum(one.guessed for one in self.judged),
            "likeness": _spread([one.likeness for one in self.judged]),
            "face_change": _spread([one.face_change for one in self.judged]),
            "elsewhere_change": _spread([one.elsewhere_change for one in self.judged]),
            "fooled": {name: round(fooled[name] / count, 3) for name in names},
        }


def sort(pictures: Sequence, filmed, *, strength: float) -> Sorted:
    """Judge pictures, BGR, that another program received while the app protected ``filmed``."""
    find = _Finder(filmed)
    found = [find(picture) for picture in pictures]
    known = {index for index, _ in found if index is not None}
    expected = expect(filmed, known, strength=strength)
    readers = classifiers()
    slates, unknown, judged = 0, [], []
    for place, (picture, (index, guessed)) in enumerate(zip(pictures, found, strict=True)):
        if index is not None:
            judged.append(judge(picture, expected[index], index, readers, guessed=guessed))
        elif is_slate(picture):
            slates += 1
        else:
            unknown.append(place)
    return Sorted(slates, unknown, judged)


class _Finder:
    """Finds which picture of the film another program received."""

    _EVERY_PX = 8

    def __init__(self, filmed) -> None:
        self._count = len(filmed)
        self._size = width, height = size(filmed[0])
        code_px = timecode.ROWS * timecode.BLOCK_PX * width // timecode.WIDTH
        below = slice(code_px, height, self._EVERY_PX)
        self._places = (below, slice(None, None, self._EVERY_PX))
        self._sketches = filmed[:, *self._places].astype(np.float32)

    def __call__(self, picture) -> tuple[int | None, bool]:
        """Its index, by its code or else by what it looks like, and whether that is a guess."""
        luma = cv2.cvtColor(cv2.resize(picture, self._size), cv2.COLOR_BGR2YUV_I420)
        code = timecode.read(luma[: self._size[1]])
        if code is not None:
            return (code.index if code.index < self._count else None), False
        off_by = np.abs(self._sketches - luma[self._places]).mean(axis=(1, 2))
        nearest = int(off_by.argmin())
        return (nearest if off_by[nearest] < SIMILAR_WITHIN else None), True


def _spread(values):
    if not values:
        return None
    low, middle, high = np.percentile(values, (0, 50, 100))
    return {"min": round(low, 3), "median": round(middle, 3), "max": round(high, 3)}
