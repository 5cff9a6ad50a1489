import io
import os
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink.y4m import Y4mSink


class Reluctant(io.BytesIO):
    """Takes at most 1000 bytes at a time, as a pipe may."""

    def write(self, data, /):
        return super().write(data[:1000])


@pytest.mark.parametrize(
    ("size", "fps", "header"),
    [
        ((64, 48), Fraction(30000, 1001), b"YUV4MPEG2 W64 H48 F30000:1001 Ip A1:1 C420jpeg"),
        ((63, 47), 29.97002997, b"YUV4MPEG2 W63 H47 F30000:1001 Ip A1:1 C444"),
        ((64, 48), 30.0, b"YUV4MPEG2 W64 H48 F30:1 Ip A1:1 C420jpeg"),
    ],
)
def test_what_is_written_decodes_to_the_input(make_frames, size, fps, header):
    stream = Reluctant()
    frames = make_frames(3, size=size)
    with Y4mSink(lambda: stream, fps=fps) as sink:
        for frame in frames:
            sink.write(frame)
    assert stream.getvalue().startswith(header)
    stream.seek(0)
    with av.open(stream, format="yuv4mpegpipe") as container:
        exact = "BICUBIC+ACCURATE_RND+FULL_CHR_H_INT"
        flags = sum(av.video.reformatter.Interpolation[name] for name in exact.split("+"))
        decoded = [
            picture.to_ndarray(format="bgr24", interpolation=flags)
            for picture in container.decode(video=0)
        ]
    assert len(decoded) == 3
    for frame, picture in zip(frames, decoded, strict=True):
        seam = [i % size[0] for i in range(frame.index - 3, frame.index + 3)]
        smooth = np.delete(np.abs(picture.astype(int) - frame.image), seam, axis=1)
        assert smooth.mean() < 1
        assert np.percentile(smooth, 99) <= 3


@pytest.mark.parametrize(("size", "matrix"), [((640, 480), "ITU601"), ((1280, 720), "ITU709")])
def test_colours_are_what_players_take_that_size_to_hold(size, matrix):
    image = np.full((size[1], size[0], 3), (40, 60, 220), np.uint8)
    stream = io.BytesIO()
    with Y4mSink(lambda: stream, fps=30) as sink:
        sink.write(Frame(image, 0.0, 0))
    stream.seek(0)
    with av.open(stream, format="yuv4mpegpipe") as container:
        (picture,) = container.decode(video=0)
    found = picture.to_ndarray(format="bgr24", src_colorspace=matrix).astype(int)
    assert np.abs(found - image).max() <= 2


def test_a_closed_pipe_ends_it(make_frames):
    reading, writing = os.pipe()
    os.close(reading)
    (frame,) = make_frames()
    with (
        open(writing, "wb", buffering=0) as pipe,  # noqa: PTH123  a descriptor, not a path
        pytest.raises(SinkUnavailable, match="The reader closed the pipe"),
        Y4mSink(lambda: pipe, fps=30) as sink,
    ):
        sink.write(frame)


def test_one_stream_has_one_size(make_frames):
    with Y4mSink(io.BytesIO, fps=30) as sink:
        sink.write(make_frames()[0])
        with pytest.raises(SinkUnavailable, match="changed from 64x48 to 32x24"):
            sink.write(make_frames(size=(32, 24))[0])


WRITES = """
import numpy as np
from facecloak.core.types import Frame
from facecloak.sink.y4m import Y4mSink, standard_output
with Y4mSink(standard_output, fps=30) as sink:
    for index in range(3):
        sink.write(Frame(np.zeros((48, 64, 3), np.uint8), 0.0, index))
"""


def test_standard_output_gets_every_byte():
    done = subprocess.run([sys.executable, "-c", WRITES], capture_output=True, check=True)
    assert done.stdout.count(b"FRAME\n") == 3
    assert done.stderr == b""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_terminal_is_spared():
    leader, follower = os.openpty()
    done = subprocess.run(
        [sys.executable, "-c", WRITES], stdout=follower, stderr=subprocess.PIPE, check=False
    )
    os.close(leader)
    os.close(follower)
    assert b"SinkUnavailable: Standard output is a terminal" in done.stderr
