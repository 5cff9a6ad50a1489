"""The driver's own event, by the numbers of linux/videodev2.h and with a driver that is played."""

import errno
import os
import platform
from pathlib import Path

import pytest

from tests.fakes.stages import ManualClock

if platform.system() != "Linux":
    pytest.skip("speaks of video devices of Linux", allow_module_level=True)

import ctypes

from facecloak.sink import usage
from facecloak.sink.usage import Event, Subscription, Usage
from facecloak.sink.watchers import APPEARS_S, LEAVES_S, RECOUNT_S, Watchers

CLIENT_USAGE = 0x10E00001


class Driver:
    """v4l2loopback from 0.13 on: one event waits at most, and the newest replaces it."""

    def __init__(self):
        self.streaming = False
        self.waiting = None
        self.subscribed = 0
        self.error = None

    def stream(self, streaming):
        self.streaming = streaming
        self.waiting = streaming

    def ioctl(self, descriptor, request, buffer):
        os.fstat(descriptor)  # it is open
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        if request == usage.SUBSCRIBE:
            assert buffer.type == CLIENT_USAGE
            self.subscribed += 1
            if buffer.flags & 1:
                self.waiting = self.streaming
        elif request == usage.UNSUBSCRIBE:
            self.waiting = None
        else:
            assert request == usage.DEQUEUE
            if self.waiting is None:
                raise OSError(errno.ENOENT, "no event")
            buffer.type, buffer.u.count = CLIENT_USAGE, int(self.waiting)
            self.waiting = None


@pytest.fixture
def driver():
    return Driver()


def of(driver):
    return lambda device: Usage(device, ioctl=driver.ioctl)


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_long) != 8, reason="the numbers are those of 64 bit")
def test_structures_and_requests_are_those_of_the_kernel():
    assert (ctypes.sizeof(Subscription), ctypes.sizeof(Event)) == (32, 136)
    offsets = {name: getattr(Event, name).offset for name, _ in Event._fields_}
    assert offsets == {
        "type": 0, "u": 8, "pending": 72, "sequence": 76,
        "seconds": 80, "nanoseconds": 88, "id": 96, "reserved": 100,
    }  # fmt: skip
    assert usage.DEQUEUE == 0x80885659
    assert (usage.SUBSCRIBE, usage.UNSUBSCRIBE) == (0x4020565A, 0x4020565B)


def test_events_are_followed_and_the_state_at_the_start_is_known(device, driver):
    driver.streaming = True
    with of(driver)(device) as followed:
        assert followed.streams()
        assert followed.streams()
        driver.stream(False)
        assert not followed.streams()


def test_a_lost_event_is_made_up_for(device, driver):
    with of(driver)(device) as followed:
        driver.streaming = True  # and no event comes
        assert not followed.streams()
        followed.ask_again()
        assert followed.streams()


def test_a_driver_without_the_event_is_an_error_and_the_device_is_closed(device, driver):
    driver.error = errno.EINVAL
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="Invalid"), of(driver)(device):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_real_ioctl_on_what_is_no_camera_is_an_error(device):
    with pytest.raises(OSError, match="ioctl"), Usage(device):
        pass


def test_watchers_take_the_drivers_word(device, driver):
    clock = ManualClock()
    with Watchers(device, clock=clock, usage=of(driver)) as watched:
        assert not watched()
        driver.stream(True)
        assert not watched()
        clock.now_s += 1.1 * APPEARS_S
        assert watched()
        driver.stream(False)
        assert watched()
        clock.now_s += 1.1 * LEAVES_S
        assert not watched()


def test_watchers_ask_again_now_and_then(device, driver):
    clock = ManualClock()
    with Watchers(device, clock=clock, usage=of(driver)) as watched:
        watched()
        driver.streaming = True  # and no event comes
        clock.now_s += 1.1 * RECOUNT_S
        watched()
        clock.now_s += 1.1 * APPEARS_S
        assert watched()


def test_watchers_count_themselves_where_the_driver_says_nothing_or_no_more(device, driver):
    clock = ManualClock()
    with Watchers(device, clock=clock, usage=of(driver)) as watched:
        watched()
        driver.error = errno.ENODEV
        clock.now_s += 1.0
        assert not watched()
        driver.error = None  # loaded anew, and in use
        driver.streaming = True
        for _ in range(4):
            clock.now_s += 1.1 * RECOUNT_S
            streams = watched()
        assert streams
    driver.error = errno.ENOTTY
    with Watchers(device, clock=clock, usage=of(driver)) as watched:
        assert not watched()
