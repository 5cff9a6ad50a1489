"""Videos with a real face, and protection made of fakes where the stages do not matter."""

import av
import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from facecloak import app
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import Header
from facecloak.core.types import Faces
from tests.fakes.assembly import protector
from tests.fakes.stages import FakeFinder


@pytest.fixture(scope="session")
def portrait():
    """``uint8[H, W, 3]`` of a size, odd perhaps, with a face that ``shift_px`` moves; BGR."""
    head = cv2.cvtColor(astronaut()[0:300, 80:380], cv2.COLOR_RGB2BGR)

    def make(size=(401, 351), shift_px=0):
        picture = np.full((size[1], size[0], 3), (90, 110, 100), np.uint8)
        picture[20:320, 20 + shift_px : 320 + shift_px] = head
        return picture

    return make


@pytest.fixture(scope="session")
def clip(tmp_path_factory, portrait):
    """Encode a moving face, or nobody, and return the path."""

    def encode(name, *, count=10, rate=25, codec="libx264", pix_fmt="yuv444p", face=True):
        path = tmp_path_factory.mktemp("clips") / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = 401, 351, pix_fmt
            for index in range(count):
                image = portrait(shift_px=index) if face else np.full((351, 401, 3), 90, np.uint8)
                picture = av.VideoFrame.from_ndarray(image, format="bgr24")
                container.mux(stream.encode(picture.reformat(format=pix_fmt)))
            container.mux(stream.encode())
        return path

    return encode


@pytest.fixture
def fakes(monkeypatch):
    """Replace what ``app.protection`` makes by fakes; ``sees`` is what the finder says."""

    def install(sees=lambda _frame: Faces()):
        made = app.Protection(
            protector=protector(finder=FakeFinder(sees)),
            cards=(
                ModelCard(
                    name="net", architecture="x", labels=("a", "b"), input_px=48, dataset="none"
                ),
            ),
            devices=("cpu",),
            header=Header(eps=8.0, method="none", seed=0, datasets=(), victims=()),
            budget=8,
            displaced=lambda frame, _faces: frame,
            mixes=lambda _frame, faces: [{"any": 1.0} for _ in faces],
            tailor=None,
        )
        monkeypatch.setattr(app, "protection", lambda _settings, *, live: made)
        return made

    return install
