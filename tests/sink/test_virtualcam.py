import platform

import numpy as np
import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.sink import loopback, virtualcam
from facecloak.sink.loopback import LABEL, Role
from facecloak.sink.virtualcam import VirtualCameraSink

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


@pytest.fixture
def roles(monkeypatch):
    """What the driver offers at the next looks, and the devices that were revived."""
    offered, revived = [], []
    monkeypatch.setattr(
        loopback, "role", lambda _device: offered.pop(0) if offered else Role.OUTPUT
    )
    monkeypatch.setattr(loopback, "revive", revived.append)
    return offered, revived


@linux
def test_without_a_driver_the_remedy_is_the_command(tmp_path):
    with (
        pytest.raises(SinkUnavailable, match="no virtual camera labelled") as caught,
        VirtualCameraSink(fps=30, size=(64, 48), sysfs=tmp_path),
    ):
        pass
    assert "facecloak camera install" in caught.value.remedy


@linux
def test_a_device_that_is_none_is_told():
    with (
        pytest.raises(SinkUnavailable, match="/dev/video97 is no virtual camera"),
        VirtualCameraSink(fps=30, size=(64, 48), device="/dev/video97"),
    ):
        pass


@linux
def test_a_file_in_place_of_a_device_is_told(tmp_path):
    (tmp_path / "video3").write_bytes(b"")
    device = str(tmp_path / "video3")
    with (
        pytest.raises(SinkUnavailable, match="video3 is no virtual camera"),
        VirtualCameraSink(fps=30, size=(64, 48), device=device),
    ):
        pass


@linux
@pytest.mark.usefixtures("faked")
def test_a_device_whose_writer_has_gone_is_revived_and_no_other(sysfs, roles):
    offered, revived = roles
    for role in (Role.NEITHER, Role.OUTPUT):
        offered.append(role)
        with VirtualCameraSink(fps=30, size=(64, 48), sysfs=sysfs):
            pass
    assert list(map(str, revived)) == ["/dev/video9"]


@linux
@pytest.mark.usefixtures("faked")
def test_a_device_that_somebody_writes_to_is_left_alone(sysfs, roles):
    offered, revived = roles
    offered.append(Role.CAPTURE)
    with (
        pytest.raises(SinkUnavailable, match=r"Another program.*fuser -v /dev/video9"),
        VirtualCameraSink(fps=30, size=(64, 48), sysfs=sysfs),
    ):
        pass
    assert not revived


@linux
@pytest.mark.usefixtures("faked", "roles")
def test_odd_sizes_lose_one_column_and_row(sysfs, make_frames):
    (frame,) = make_frames(size=(63, 47))
    with VirtualCameraSink(fps=30, size=(63, 47), sysfs=sysfs) as sink:
        assert sink.device == "/dev/video9"
        sink.write(frame)
        camera = sink._camera
        assert np.array_equal(camera.sent[0], frame.image[:46, :62])
    assert camera.closed
    assert sink.device is None


@pytest.mark.usefixtures("faked", "roles")
def test_another_size_or_a_lost_device_is_told(make_frames):
    with VirtualCameraSink(fps=30, size=(64, 48), device="given") as sink:
        with pytest.raises(SinkUnavailable, match="changed from 64x48 to 32x24"):
            sink.write(make_frames(size=(32, 24))[0])
        sink._camera.close()
        with pytest.raises(SinkUnavailable, match="takes no more frames"):
            sink.write(make_frames()[0])


@pytest.mark.parametrize(
    ("refuses", "backend", "device"),
    [((), "unitycapture", LABEL), (("unitycapture",), "obs", "first")],
)
def test_windows_prefers_unity_capture_by_our_name(faked, caplog, refuses, backend, device):
    faked.setattr(virtualcam.platform, "system", lambda: "Windows")
    faked.setattr(FakeCamera, "refuses", frozenset(refuses))
    caplog.set_level("INFO", "facecloak")
    with VirtualCameraSink(fps=30, size=(64, 48)) as sink:
        assert (sink._camera.backend, sink.device) == (backend, device)
    assert ("other programs list the camera as first" in caplog.text) == (backend == "obs")


@pytest.mark.vcam
def test_a_real_virtual_camera_takes_frames(make_frames):
    try:
        with VirtualCameraSink(fps=30, size=(64, 48)) as sink:
            for frame in make_frames(3):
                sink.write(frame)
    except SinkUnavailable as exc:
        pytest.skip(str(exc))
