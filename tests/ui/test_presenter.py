import pytest

from facecloak.core.errors import SourceLost
from facecloak.core.types import Reading
from facecloak.session.moment import Meter, Moment, Status
from facecloak.ui.presenter import present


def same(text):
    return text


def meter(fooled, judged=10):
    return Meter("VGG19", judged, fooled, Reading("happy", 0.93), Reading("fear", 0.55))


@pytest.mark.parametrize(
    ("moment", "headline", "detail"),
    [
        (Moment(), "Waiting", ""),
        (Moment(status=Status.PROTECTED, faces=1), "Protected", ""),
        (Moment(status=Status.SHIELDED), "Shielded", "No face is found."),
        (Moment(status=Status.SHIELDED, faces=1), "Shielded", ""),
        (Moment(status=Status.OFF), "PROTECTION IS OFF", ""),
        (Moment(status=Status.WAITING, hidden=True), "Hidden", ""),
        (
            Moment(status=Status.PROTECTED, raised=True, strength=0.75),
            "Protected",
            "The strength was raised to 0.75, because a classifier read this face.",
        ),
        (
            Moment(status=Status.PROTECTED, raised=True, exhausted=True, meters=(meter(1),)),
            "Protected",
            "A classifier still reads this face, and nothing stronger is allowed.",
        ),
        (
            Moment(status=Status.WAITING, problems=(SourceLost("It is gone.", "Plug it in."),)),
            "Waiting: something does not work",
            "It is gone. Plug it in.",
        ),
    ],
)
def test_every_status_has_its_words(moment, headline, detail):
    view = present(moment, same)
    assert view.headline.startswith(headline)
    assert view.detail == detail
    assert view.status is moment.status


@pytest.mark.parametrize(
    ("moment", "detail"),
    [
        (Moment(protecting=False), ""),
        (Moment(protecting=False, hidden=True), "Hidden: the camera is off"),
        (
            Moment(protecting=False, problems=(SourceLost("It is gone.", "Plug it in."),)),
            "It is gone. Plug it in.",
        ),
    ],
    ids=["nobody watches", "hidden", "a camera that is gone"],
)
def test_protection_that_is_off_is_told_while_no_picture_comes_too(moment, detail):
    view = present(moment, same)
    assert view.status is Status.OFF
    assert view.headline == "PROTECTION IS OFF: the call will see your face as it is"
    assert view.detail == detail


def test_a_meter_tells_share_and_readings():
    (bar,) = present(Moment(meters=(meter(97, judged=100),)), same).bars
    assert bar.percent == 97
    assert bar.text == "fooled 97 % of the last 10 s"
    assert bar.readings == "reads happy (93%), from what is sent fear (55%)"


def test_a_problem_that_two_parts_have_is_told_once():
    gone = SourceLost("It is gone.", "Plug it in.")
    moment = Moment(problems=(gone, SourceLost("It is gone.", "Plug it in."), SourceLost("So.")))
    assert present(moment, same).detail == "It is gone. Plug it in.\nSo."


def test_what_each_face_gets_is_told_where_there_is_a_choice():
    assert present(Moment(), same).pattern == ""
    told = present(Moment(members=("sad", "any")), lambda text: f"<{text}>").pattern
    assert told == "<pattern against: <sad>, <every expression>>"


def test_figures_that_are_not_known_are_left_out():
    assert present(Moment(fps=29.7), same).figures == "30 frames per second"
    told = present(Moment(fps=30, added_ms=4.25, psnr_db=38.04), same).figures
    assert told == "30 frames per second · 4.2 ms delay · 38.0 dB PSNR of the face"
    assert "dB" not in present(Moment(psnr_db=float("inf")), same).figures


def test_what_is_made_to_measure_is_told_as_such():
    told = present(Moment(members=("fitted", "any")), lambda text: f"<{text}>").pattern
    assert told == "<pattern fitted to the face>"
