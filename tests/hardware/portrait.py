"""The demo's face as a webcam would send it, picture by picture, and what it may become.

The pictures are I420, the layout in which the driver hands them on byte for byte, so that what the
app got to see is known exactly.
"""

from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np
from facecloak_train.measure.choosing import Chooser

from facecloak.capture import DemoSource
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import artifacts, bank
from facecloak.core.types import Affine, Frame, Image
from facecloak.face.mediapipe_finder import MediaPipeFinder
from facecloak.verify.onnx_judge import OnnxClassifier
from tests.hardware import timecode

SMALL, LARGE = (640, 480), (1280, 720)
"""What webcams send: width and height."""
FPS = 30
COUNT = 240
"""All of the demo's eight seconds, so that they repeat without a seam."""
NOBODY = 255
"""The index of a picture without a face, which is not of the film."""


def film(count=COUNT, size=SMALL):
    """``uint8[count, H * 3 / 2, W]``: I420, each with the code of its index and the time 0."""
    width, height = size
    filmed = np.empty((count, height * 3 // 2, width), np.uint8)
    with DemoSource(count / FPS) as source:
        for index in range(count):
            picture = source.read(1).image
            wide = picture.shape[0] * width // height
            left = (picture.shape[1] - wide) // 2
            small = cv2.resize(picture[:, left : left + wide], size, interpolation=cv2.INTER_AREA)
            filmed[index] = cv2.cvtColor(small, cv2.COLOR_BGR2YUV_I420)
            stamp(filmed[index], timecode.Code(index, 0))
    return filmed


def size(picture):
    """Width and height of an I420 picture."""
    rows, width = picture.shape
    return width, rows * 2 // 3


def stamp(picture, code):
    """Write a code into an I420 picture, in place; its blocks have no colour."""
    width, height = size(picture)
    timecode.draw(picture[:height], code)
    for plane in picture[height:].reshape(2, height // 2, width // 2):
        timecode.corner(plane)[:] = 128


def as_seen(picture):
    """What OpenCV makes of an I420 picture: ``uint8[H, W, 3]``, BGR."""
    return cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420)


@dataclass(frozen=True)
class Expected:
    """What the app should make of one picture of the film, worked out beside it.

    Attributes:
        raw: the picture as captured, BGR.
        protected: the same with the face cloaked.
        face_from_frame: where the face is.
        box: rows and columns of the face.
    """

    raw: Image
    protected: Image
    face_from_frame: Affine
    box: tuple[slice, slice]


def expect(filmed, indices, *, strength: float) -> dict[int, Expected]:
    """What the app should make of these pictures of the film."""
    given = bank.load(artifacts.perturbation("default"))
    cloak, chooser = OpenCvCloak(given, strength), Chooser(given)
    expected = {}
    with closing(MediaPipeFinder(live=False)) as finder:
        for index in sorted(set(indices)):
            frame = Frame(as_seen(filmed[index]), index / FPS, index)
            (face,) = finder.find(frame).found
            cloak.hear(chooser.read(frame, face))
            left, top, right, bottom = face_box(face.face_from_frame, *size(filmed[index]))
            expected[index] = Expected(
                raw=frame.image,
                protected=cloak.apply(frame, [face]).image,
                face_from_frame=face.face_from_frame,
                box=(slice(top, bottom), slice(left, right)),
            )
    return expected


def classifiers():
    """Those of still faces that the app ships."""
    shipped = [OnnxClassifier(path, "cpu") for path in artifacts.models()]
    return [classifier for classifier in shipped if not classifier.card.is_clip]
