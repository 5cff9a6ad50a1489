import json
import tracemalloc

import numpy as np

from facecloak.commands.measuring import Measurer
from facecloak.core.types import Face, Faces, Frame, Output
from facecloak.pipeline.protector import Protected
from tests.fakes.stages import verdict


def as_captured(frame, _faces):
    return frame


def for_every_face(_frame, faces):
    return [{"any": 1.0} for _ in faces]


def looked(clean, cloaked, side_px, output=Output.CLOAKED, verdicts=()):
    """A measurer that has seen one frame with one face, ``side_px`` wide at (4, 4)."""
    scale = 1 / side_px
    face = Face(0, np.array([[scale, 0.0, -4 * scale], [0.0, scale, -4 * scale]]))
    measurer = Measurer(as_captured, for_every_face)
    frame = Frame(clean, 0.0, 0)
    measurer(frame, Protected(frame.with_image(cloaked), output, Faces((face,)), verdicts))
    return measurer


def pictures(change=0, at=(8, 8)):
    clean = np.full((48, 64, 3), 100, np.uint8)
    cloaked = clean.copy()
    cloaked[at] += np.uint8(change)
    return clean, cloaked


def test_a_change_in_the_face_is_inside_and_any_other_elsewhere():
    inside, elsewhere = looked(*pictures(5), 20), looked(*pictures(5, at=(40, 60)), 20)
    assert (inside.inside, inside.outside) == (5, 0)
    assert (elsewhere.inside, elsewhere.outside) == (0, 5)


def test_what_is_added_counts_from_the_moved_face():
    clean, cloaked = pictures(5)
    moved = clean + np.uint8(3)
    measurer = Measurer(lambda frame, _faces: frame.with_image(moved), for_every_face)
    frame, face = Frame(clean, 0.0, 0), Face(0, np.array([[0.05, 0.0, -0.2], [0.0, 0.05, -0.2]]))
    protected = Protected(
        frame.with_image(cloaked + np.uint8(3)), Output.CLOAKED, Faces((face,)), ()
    )
    measurer(frame, protected)
    assert measurer.inside == 5


def test_a_face_too_small_for_ssim_is_a_face_all_the_same():
    measurer = looked(*pictures(5, at=(5, 5)), 4)
    assert (measurer.inside, measurer.outside) == (5, 0)
    assert measurer.visibility() == {"psnr_db": None, "ssim": None}


def test_figures_are_finite_even_where_nothing_changed():
    for measurer in (
        looked(*pictures(), 20),
        looked(*pictures(3), 20),
        Measurer(as_captured, for_every_face),
    ):
        json.dumps(measurer.visibility(), allow_nan=False)


def test_a_face_outside_the_picture_is_no_fault():
    clean, cloaked = pictures()
    measurer = Measurer(as_captured, for_every_face)
    face = Face(0, np.array([[0.1, 0.0, 30.0], [0.0, 0.1, 30.0]]))
    frame = Frame(clean, 0.0, 0)
    measurer(frame, Protected(frame.with_image(cloaked), Output.CLOAKED, Faces((face,)), ()))
    assert (measurer.inside, measurer.outside) == (0, 0)


def test_members_are_counted_by_face_and_in_parts_while_one_fades():
    clean, cloaked = pictures()
    mixes = iter([[{"happy": 1.0}], [{"any": 0.25, "happy": 0.75}, {"any": 1.0}]])
    measurer = Measurer(as_captured, lambda _frame, _faces: next(mixes))
    frame, face = Frame(clean, 0.0, 0), Face(0, np.array([[0.05, 0.0, 0.0], [0.0, 0.05, 0.0]]))
    assert measurer.members() == {}
    for found in ((face,), (face, face)):
        out = Protected(frame.with_image(cloaked), Output.CLOAKED, Faces(found), ())
        measurer(frame, out)
    measurer(frame, Protected(frame, Output.SHIELD, Faces((face,)), ()))
    assert list(measurer.members().items()) == [("happy", 1.75 / 3), ("any", 1.25 / 3)]


def test_a_slate_is_not_measured_but_its_verdicts_are_told():
    measurer = looked(*pictures(99), 20, Output.SHIELD, (verdict(), verdict(fooled=False)))
    assert (measurer.inside, measurer.outside) == (0, 0)
    assert measurer.readings() == {"net": {"sad -> happy": 1, "sad -> sad": 1}}


def test_readings_take_no_more_room_the_longer_a_file_is():
    measurer = Measurer(as_captured, for_every_face)
    frame = Frame(pictures()[0], 0.0, 0)
    seen = Protected(frame, Output.SHIELD, Faces(), (verdict(), verdict(fooled=False)))
    measurer(frame, seen)
    tracemalloc.start()
    try:
        for _ in range(2000):
            measurer(frame, seen)
        grown, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 10_000  # bytes
    assert measurer.readings() == {"net": {"sad -> happy": 2001, "sad -> sad": 2001}}
