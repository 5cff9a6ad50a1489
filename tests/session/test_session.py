"""The real pipeline in a session: the demo portrait, the real models, a sink that keeps frames."""

import dataclasses
import threading
import time

import numpy as np
import pytest

from facecloak import app, endpoints
from facecloak.cloak.slate import Slate
from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.perturbation import ANY
from facecloak.session import session as running
from facecloak.session.moment import Status
from facecloak.session.session import Session
from facecloak.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.warns_in_log]

SETTINGS = Settings(source="demo", sink="null", strength=1.0)


class Kept:
    """A sink that keeps the last frame and counts how often it was opened."""

    def __init__(self):
        self.opened = self.closed = 0
        self.last = None
        self.fault = None

    def __enter__(self):
        self.opened += 1
        return self

    def __exit__(self, *_exc):
        self.closed += 1

    def write(self, frame):
        if self.fault is not None:
            raise self.fault
        self.last = frame


@pytest.fixture
def kept(monkeypatch):
    sink = Kept()
    monkeypatch.setattr(endpoints, "sink_of", lambda _name, _source: lambda _size, _fps: sink)
    return sink


def until(session, wanted, *, seconds=60.0):
    """The first moment that is as wanted."""
    pause, end_s = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < end_s:
        moment = session.moment()
        if wanted(moment):
            return moment
        pause.wait(0.02)
    pytest.fail(f"never came; the last moment was {moment}")


def is_(status):
    return lambda moment: moment.status is status


def test_from_waiting_to_protected_with_meters_and_pictures(kept):
    with Session(SETTINGS) as session:
        assert session.moment().status is Status.WAITING
        session.recorder.visible = True
        moment = until(session, lambda m: m.status is Status.PROTECTED and m.psnr_db and m.meters)
        assert moment.faces == 1
        assert moment.clean.shape == moment.sent.shape
        assert 30 < moment.psnr_db < 45
        assert moment.added_ms > 0
        assert moment.meters[0].fooled <= moment.meters[0].judged
        assert (moment.strength, moment.raised, moment.problems) == (1.0, False, ())
        assert until(session, lambda m: m.members and m.members != (ANY,)).faces == 1
        session.recorder.visible = False
        assert until(session, lambda m: m.sent is None).status is Status.PROTECTED
    assert (kept.opened, kept.closed) == (1, 1)


def test_off_shows_the_picture_as_captured_and_on_protects_again(kept):
    with Session(SETTINGS) as session:
        session.recorder.visible = True
        until(session, is_(Status.PROTECTED))
        session.switch(on=False)
        moment = until(session, lambda m: m.status is Status.OFF and m.clean is not None)
        assert np.array_equal(moment.clean, moment.sent)
        session.switch(on=True)
        moment = until(session, is_(Status.PROTECTED))
        assert moment.sent is None or not np.array_equal(moment.clean, moment.sent)


def test_what_stands_in_the_camera_after_the_end_is_the_slate(kept):
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        session.switch(on=False)
        until(session, is_(Status.OFF))
    height, width = kept.last.image.shape[:2]
    assert np.array_equal(kept.last.image, Slate().slate(width, height))


def test_who_hides_is_not_seen_whatever_the_source_is(kept):
    """The demo is no camera that could be off: its pictures have to be dropped."""
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        session.hide(hidden=True)
        slate = Slate().slate(*reversed(kept.last.image.shape[:2]))
        until(session, lambda m: m.hidden and np.array_equal(kept.last.image, slate))
        threading.Event().wait(1.0)
        assert np.array_equal(kept.last.image, slate)
        session.hide(hidden=False)
        until(session, lambda _: not np.array_equal(kept.last.image, slate))


def test_who_hides_with_protection_off_is_not_seen_either(kept):
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        session.switch(on=False)
        until(session, is_(Status.OFF))
        session.hide(hidden=True)
        slate = Slate().slate(*reversed(kept.last.image.shape[:2]))
        until(session, lambda _: np.array_equal(kept.last.image, slate))
        assert not until(session, is_(Status.WAITING)).protecting
        session.switch(on=True)
        assert session.moment().protecting


def test_strength_changes_without_a_gap_and_the_camera_size_without_closing_the_sink(kept):
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        session.change(dataclasses.replace(SETTINGS, strength=1.5))
        assert until(session, lambda m: m.strength == 1.5).raised is False
        session.change(dataclasses.replace(SETTINGS, strength=1.5, hold_s=0.3))
        until(session, is_(Status.WAITING))
        until(session, is_(Status.PROTECTED))
    assert (kept.opened, kept.closed) == (1, 1)


def test_a_strength_that_is_impossible_is_a_problem_and_the_old_cloak_goes_on(kept):
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        session.change(dataclasses.replace(SETTINGS, perturbation="nowhere"))
        moment = until(session, lambda m: m.problems)
        assert "nowhere" in moment.problems[0].what
        assert moment.status is Status.PROTECTED


def test_a_sink_that_fails_is_a_problem_and_tried_again(kept):
    kept.fault = SinkUnavailable("The disk is full.", "Make room.")
    with Session(SETTINGS) as session:
        moment = until(session, lambda m: m.problems)
        assert moment.problems[0].remedy == "Make room."
        kept.fault = None
        assert not until(session, is_(Status.PROTECTED)).problems


def test_a_setting_that_cannot_be_used_is_a_problem_until_it_is_changed(kept):
    wrong = dataclasses.replace(SETTINGS, source="nowhere.mp4")
    with Session(wrong) as session:
        moment = until(session, lambda m: m.problems)
        assert "nowhere.mp4" in str(moment.problems[0])
        session.change(SETTINGS)
        assert not until(session, is_(Status.PROTECTED)).problems


def test_a_classifier_that_still_reads_the_face_raises_the_strength(kept):
    low = dataclasses.replace(SETTINGS, strength=0.25, max_strength=0.5)
    with Session(low) as session:
        moment = until(session, lambda m: m.raised)
        assert moment.strength == 0.5
        assert moment.exhausted
        session.change(dataclasses.replace(low, language="de"))
        session.recorder.visible = True  # so that a later frame tells itself
        assert until(session, lambda m: m.sent is not None).strength == 0.5


def test_a_hang_is_the_slate_and_a_problem_until_it_ends(kept, monkeypatch):
    monkeypatch.setattr(running, "_hang_s", lambda _settings: 1.0)
    released = threading.Event()
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        finder = session._made.protector._finder
        find = finder.find
        monkeypatch.setattr(finder, "find", lambda frame: released.wait(30) and find(frame))
        moment = until(session, lambda m: m.problems)
        assert "has not finished a picture" in moment.problems[0].what
        assert moment.status is Status.WAITING
        height, width = kept.last.image.shape[:2]
        until(session, lambda _m: (kept.last.image == Slate().slate(width, height)).all())
        released.set()
        assert not until(session, is_(Status.PROTECTED)).problems


def test_a_mistake_in_the_program_ends_it_and_is_a_problem(kept):
    kept.fault = TypeError("a mistake")
    with Session(SETTINGS) as session:
        moment = until(session, lambda m: m.problems)
        assert "TypeError" in moment.problems[0].what
    assert kept.closed == 1


def test_a_session_that_died_does_not_go_on_saying_that_it_protects(kept):
    with Session(SETTINGS) as session:
        until(session, is_(Status.PROTECTED))
        kept.fault = TypeError("a mistake")
        moment = until(session, lambda m: m.problems and m.status is Status.WAITING)
        assert "TypeError" in moment.problems[0].what


def test_errors_carry_over(kept, monkeypatch):
    fault = ConfigError("No.", "Do this.")

    def broken(_settings, *, live):
        raise fault

    monkeypatch.setattr(app, "protection", broken)
    with Session(SETTINGS) as session:
        assert until(session, lambda m: m.problems).problems[0].remedy == "Do this."
