"""Small real videos, encoded on the spot."""

import av
import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def picture():
    """A smooth colourful picture, ``uint8[48, 64, 3]``, BGR."""
    coarse = np.random.default_rng(7).integers(20, 235, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def clip(tmp_path, picture):
    """Encode ``count`` frames of a picture that rolls to the right, and return the path."""

    def encode(
        name, *, codec="libx264", pix_fmt="yuv420p", rate=30, count=60, image=picture, aspect=1
    ):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.height, stream.width = image.shape[:2]
            stream.pix_fmt = pix_fmt
            stream.codec_context.sample_aspect_ratio = aspect
            for index in range(count):
                rolled = np.ascontiguousarray(np.roll(image, index, axis=1))
                frame = av.VideoFrame.from_ndarray(rolled, format="bgr24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return encode
