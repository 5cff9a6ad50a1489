import platform

import numpy as np
import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.sink import virtualcam
from facecloak.sink.virtualcam import LABEL, VirtualCameraSink, find_device

linux = pytest.mark.skipif(platform.system() != "Linux", reason="speaks of v4l2loopback")


@pytest.fixture
def sysfs(tmp_path):
    for node, label in (("video0", "Integrated Camera"), ("video9", LABEL)):
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(f"{label}\n")
    return tmp_path


class FakeCamera:
    """Stands in for ``pyvirtualcam.Camera``."""

    refuses = frozenset()

    def __init__(self, width, height, fps, *, fmt, device, backend):
        if backend in self.refuses:
            msg = f"'{backend}' backend: not installed"
            raise RuntimeError(msg)
        self.width, self.height, self.fps, self.fmt = width, height, fps, fmt
        self.device, self.backend = device or "first", backend
        self.sent, self.closed = [], False

    def send(self, image):
        assert image.flags.c_contiguous
        assert image.shape == (self.height, self.width, 3)
        if self.closed:
            msg = "closed"
            raise RuntimeError(msg)
        self.sent.append(image)

    def close(self):
        self.closed = True


@pytest.fixture
def faked(monkeypatch):
    monkeypatch.setattr(virtualcam.pyvirtualcam, "Camera", FakeCamera)
    return monkeypatch


def test_the_device_is_found_by_its_label(sysfs):
    assert find_device(sysfs) == "/dev/video9"
    (sysfs / "video9" / "name").write_text("OBS Virtual Camera\n")
    assert find_device(sysfs) is None


@linux
def test_without_a_driver_the_remedy_is_the_command(tmp_path):
    with (
        pytest.raises(SinkUnavailable, match="no virtual camera labelled") as caught,
        VirtualCameraSink(fps=30, size=(64, 48), sysfs=tmp_path),
    ):
        pass
    assert (
        'sudo modprobe v4l2loopback devices=1 card_label="FaceCloak Camera" exclusive_caps=1'
        in caught.value.remedy
    )


@linux
def test_a_device_that_is_none_is_told():
    with (
        pytest.raises(SinkUnavailable, match="No virtual camera could be opened"),
        VirtualCameraSink(fps=30, size=(64, 48), device="/dev/video97"),
    ):
        pass


@linux
@pytest.mark.usefixtures("faked")
def test_odd_sizes_lose_one_column_and_row(sysfs, make_frames):
    (frame,) = make_frames(size=(63, 47))
    with VirtualCameraSink(fps=30, size=(63, 47), sysfs=sysfs) as sink:
        assert sink.device == "/dev/video9"
        sink.write(frame)
        camera = sink._camera
        assert np.array_equal(camera.sent[0], frame.image[:46, :62])
    assert camera.closed
    assert sink.device is None


@pytest.mark.usefixtures("faked")
def test_another_size_or_a_lost_device_is_told(make_frames):
    with VirtualCameraSink(fps=30, size=(64, 48), device="given") as sink:
        with pytest.raises(SinkUnavailable, match="changed from 64x48 to 32x24"):
            sink.write(make_frames(size=(32, 24))[0])
        sink._camera.close()
        with pytest.raises(SinkUnavailable, match="takes no more frames"):
            sink.write(make_frames()[0])


@pytest.mark.parametrize(("refuses", "backend"), [((), "unitycapture"), (("unitycapture",), "obs")])
def test_windows_prefers_unity_capture(faked, refuses, backend):
    faked.setattr(virtualcam.platform, "system", lambda: "Windows")
    faked.setattr(FakeCamera, "refuses", frozenset(refuses))
    with VirtualCameraSink(fps=30, size=(64, 48)) as sink:
        assert sink._camera.backend == backend


@pytest.mark.vcam
def test_a_real_virtual_camera_takes_frames(make_frames):
    try:
        with VirtualCameraSink(fps=30, size=(64, 48)) as sink:
            for frame in make_frames(3):
                sink.write(frame)
    except SinkUnavailable as exc:
        pytest.skip(str(exc))
