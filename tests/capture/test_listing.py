from types import SimpleNamespace

import pytest

from facecloak.capture import listing
from facecloak.capture.listing import Camera, cameras, find_again, name_of


@pytest.fixture
def plugged(monkeypatch):
    """Set which cameras there are: numbers to names."""

    def plug(**named):
        found = [
            SimpleNamespace(index=int(key[1:]), name=name, path=f"/dev/video{key[1:]}")
            for key, name in named.items()
        ]
        monkeypatch.setattr(listing, "enumerate_cameras", lambda _backend: found)

    return plug


def test_cameras_come_by_number(plugged):
    plugged(n2="Logi", n0="Integrated")
    assert cameras() == [Camera(0, "Integrated", "/dev/video0"), Camera(2, "Logi", "/dev/video2")]
    assert (name_of(2), name_of("/dev/video0"), name_of(7)) == ("Logi", "Integrated", None)


def test_a_camera_is_found_again_by_its_name(plugged):
    plugged(n0="Integrated", n3="Logi")
    assert find_again(2, "Logi") == 3
    assert find_again(3, "Logi") == 3
    assert find_again("/dev/video3", "Logi") == "/dev/video3"


def test_a_camera_that_is_gone_or_had_no_name_is_looked_for_where_it_was(plugged):
    plugged(n0="Integrated")
    assert find_again(2, "Logi") == 2
    assert find_again(0, None) == 0


def test_another_camera_in_its_place_is_not_taken_for_it(plugged):
    plugged(n2="Integrated", n4="Logi")
    assert find_again(2, "Logi") == 4


def test_listing_the_cameras_of_this_machine_raises_nothing():
    assert isinstance(cameras(), list)
