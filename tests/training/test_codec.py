"""What comes through a codec, and over which legs this machine can send."""

import os

import av
import cv2
import numpy as np
import pytest
from av.codec.codec import UnknownCodecError
from facecloak_train.measure import codec as codecs
from facecloak_train.measure.codec import (
    CODECS,
    LEGS,
    REENCODED,
    Leg,
    arrive,
    legs_of,
    missing,
)
from facecloak_train.settings import EvaluateSettings
from skimage.data import astronaut


@pytest.fixture(scope="module")
def portrait():
    picture = cv2.cvtColor(astronaut()[:300, 60:360], cv2.COLOR_RGB2BGR)
    grey = np.full((360, 640, 3), 120, np.uint8)
    grey[30:330, 170:470] = picture
    return cv2.resize(grey, (1280, 720), interpolation=cv2.INTER_CUBIC)


def here(*keys):
    return [leg for leg in legs_of(keys) if not missing(leg)]


def sent(pictures, leg):
    small = cv2.resize(pictures[-1], leg.size, interpolation=cv2.INTER_AREA)
    got = arrive(pictures, leg)
    assert got.picture.shape == small.shape
    assert got.picture.dtype == np.uint8
    error = got.picture.astype(float) - small
    return got.kbps, float(np.abs(error).mean()), float(error.mean())


@pytest.mark.parametrize("codec", CODECS)
def test_a_picture_arrives_nearly_as_it_was_and_no_darker(portrait, codec):
    for leg in here(*(key for key in LEGS if key.startswith(f"{codec}-"))):
        kbps, loss, shift = sent([portrait] * 4, leg)
        assert kbps > 0
        assert 0.1 < loss < 8.0
        assert abs(shift) < 1.0  # ffmpeg's quick conversion: 2.1
    assert sent([portrait] * 3, LEGS["lossless"]) == (0.0, 0.0, 0.0)


def test_fewer_bits_cost_more(portrait):
    many, few = (Leg(codec="h264", size=(320, 180), kbps=kbps) for kbps in (800, 40))
    (sent_many, loss_of_many, _), (sent_few, loss_of_few, _) = (
        sent([np.roll(portrait, 9 * shift, axis=1) for shift in range(8)], leg)
        for leg in (many, few)
    )
    assert sent_many > 1.5 * sent_few
    assert loss_of_many < loss_of_few


def test_a_clip_is_coded_alike_each_time(portrait):
    clip = [np.roll(portrait, shift, axis=1) for shift in range(4)]
    for leg in here("h264-180p-150", "vp8-180p-150", "vp9-180p-150", "av1-180p-150"):
        np.testing.assert_array_equal(arrive(clip, leg).picture, arrive(clip, leg).picture)


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="Linux schedules so")
def test_no_encoder_leaves_its_priority_behind(portrait):
    """As root, the one of AV1 takes the highest there is."""
    before = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
    for leg in here("h264-180p-150", "vp9-180p-150", "av1-180p-150"):
        arrive([portrait, portrait], leg)
        assert (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority) == before, leg.key


def test_the_last_picture_arrives_at_either_rate(portrait):
    clip = [np.zeros_like(portrait)] * 5 + [np.full_like(portrait, 200)] * 3
    for leg in here("lossless", "h264-360p-500", "h264-360p-500-15fps", "vp8-180p-150"):
        assert abs(float(arrive(clip, leg).picture.mean()) - 200) < 6
    flashed = [portrait, np.full_like(portrait, 255), portrait]
    quick, slow = (sent(flashed, LEGS[key])[1] for key in ("h264-180p-150", "h264-180p-150-15fps"))
    assert slow < quick  # at half the rate the flash is never sent


def test_legs_go_by_their_keys():
    assert len(LEGS) == 1 + 4 * 4 * 2
    assert all(leg.key == key for key, leg in LEGS.items())
    assert len({leg.name for leg in LEGS.values()}) == len(LEGS)
    assert LEGS["av1-180p-150-15fps"].name == "AV1 180p 150 kb/s, 15 fps"
    assert legs_of(["vp8-360p-500", "lossless", "vp8-360p-500"]) == [
        LEGS["vp8-360p-500"],
        LEGS["lossless"],
    ]
    assert legs_of(["all"]) == [*LEGS.values()]
    with pytest.raises(ValueError, match="no leg 'h265-720p-1200'; there are all, lossless, h264"):
        legs_of(["h265-720p-1200"])
    assert set(EvaluateSettings.__dataclass_fields__["legs"].default) <= set(LEGS)
    assert REENCODED.kbps == 2500


def test_a_leg_without_an_encoder_says_which_is_missing(monkeypatch):
    def unknown(name, mode):
        assert (name, mode) == ("libvpx", "w")
        raise UnknownCodecError(name)

    monkeypatch.setattr(av, "Codec", unknown)
    assert "no encoder libvpx" in missing(LEGS["vp8-360p-500"])
    assert missing(LEGS["lossless"]) == ""


def test_a_leg_whose_encoder_fails_says_so(monkeypatch):
    def fails(*_):
        raise av.FFmpegError(22, "invalid argument")

    monkeypatch.setattr(codecs, "arrive", fails)
    assert missing(LEGS["av1-180p-150"]) == (
        "libsvtav1 does not work on this machine (invalid argument)"
    )
