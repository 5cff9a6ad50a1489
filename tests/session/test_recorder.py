import numpy as np
import pytest

from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Frame, Output
from facecloak.pipeline.protector import Protected
from facecloak.session.moment import Status
from facecloak.session.recorder import METER_S, Recorder
from facecloak.verify.visibility import psnr
from tests.fakes.stages import CLOAKED, RAW, SIZE, ManualClock, face, faces, raw_frame, verdict


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def recorder(clock):
    return Recorder(clock)


def sent(output=Output.CLOAKED, *, found=None, verdicts=()):
    image = np.full((SIZE[1], SIZE[0], 3), CLOAKED, np.uint8)
    return Protected(Frame(image, 0.0, 0), output, found or faces(1), verdicts)


@pytest.mark.parametrize(
    ("clean", "output", "status"),
    [
        (raw_frame(), Output.CLOAKED, Status.PROTECTED),
        (raw_frame(), Output.HELD, Status.PROTECTED),
        (raw_frame(), Output.SHIELD, Status.SHIELDED),
        (raw_frame(), Output.UNTOUCHED, Status.PROTECTED),
        (raw_frame(), Output.OFF, Status.OFF),
        (None, Output.HELD, Status.PROTECTED),
        (None, Output.SHIELD, Status.WAITING),
    ],
)
def test_the_status_is_what_the_call_sees(recorder, clean, output, status):
    recorder.see(clean, sent(output), StageTimes())
    assert recorder.seen()["status"] is status


def test_frames_per_second_are_those_of_the_last_two_seconds(recorder, clock):
    for step in range(100):
        clock.now_s = step / 25
        recorder.see(raw_frame(), sent(), StageTimes())
    assert recorder.seen()["fps"] == pytest.approx(25)
    clock.now_s += 3
    assert recorder.seen()["fps"] == 0


def test_a_reading_counts_for_ten_seconds(recorder, clock):
    recorder.see(raw_frame(), sent(verdicts=(verdict(fooled=False),)), StageTimes())
    clock.now_s = 1.0
    recorder.see(raw_frame(), sent(verdicts=(verdict(), verdict(1))), StageTimes())
    (meter,) = recorder.seen()["meters"]
    assert (meter.judged, meter.fooled) == (3, 2)
    clock.now_s = METER_S + 0.5
    assert recorder.seen()["meters"][0].share == 1.0
    recorder.forget_readings()
    assert recorder.seen()["meters"] == ()
    assert recorder.seen()["status"] is Status.PROTECTED


def test_pictures_and_figures_are_there_only_while_somebody_looks(recorder, clock):
    times = StageTimes()
    times.add("added", 0.004)
    recorder.see(raw_frame(), sent(), times)
    unseen = recorder.seen()
    assert unseen["clean"] is unseen["sent"] is None
    assert "psnr_db" not in unseen
    recorder.visible = True
    recorder.see(raw_frame(), sent(), times)
    seen = recorder.seen()
    assert (seen["clean"].max(), seen["sent"].max()) == (RAW, CLOAKED)
    assert seen["added_ms"] == pytest.approx(4.0)
    assert seen["psnr_db"] == pytest.approx(psnr(seen["clean"], seen["sent"]))


def test_a_face_outside_the_picture_has_no_psnr_to_tell(recorder):
    away = face()
    away.face_from_frame.flags.writeable = True
    away.face_from_frame[:, 2] = -100.0
    recorder.visible = True
    recorder.see(raw_frame(), sent(found=Faces((away,))), StageTimes())
    assert recorder.seen()["psnr_db"] == float("inf")


def test_the_member_with_the_largest_share_is_told_while_faces_are_cloaked(recorder):
    recorder.see(raw_frame(), sent(), StageTimes())
    assert recorder.seen()["members"] == ()
    mixes = [{"any": 0.4, "sad": 0.6}, {"any": 1.0}]
    recorder.follow(recorder.displaced, lambda _frame, found: mixes[: len(found)])
    recorder.see(raw_frame(), sent(found=faces(2)), StageTimes())
    assert recorder.seen()["members"] == ("sad", "any")
    recorder.see(raw_frame(), sent(Output.SHIELD), StageTimes())
    assert recorder.seen()["members"] == ()


def test_what_is_forgotten_is_gone(recorder):
    recorder.visible = True
    recorder.see(raw_frame(), sent(verdicts=(verdict(),)), StageTimes())
    recorder.forget()
    assert recorder.seen() == {"fps": 0.0, "meters": ()}
