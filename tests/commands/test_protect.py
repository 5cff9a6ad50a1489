"""``facecloak protect``: what comes out, what is promised of it, what stays after a failure."""

import json
import math

import cv2
import numpy as np
import pytest

from facecloak.capture import PictureSource, VideoSource
from facecloak.cloak.opencv_cloak import face_box
from facecloak.commands import protect as command
from facecloak.commands.measuring import Measurer
from facecloak.commands.protect import protect, write_json
from facecloak.core.errors import ConfigError, FaceCloakError, SinkUnavailable
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Faces
from facecloak.settings import Settings


def images_of(source):
    with source:
        images = []
        try:
            while (frame := source.read(1.0)) is not None:
                images.append(frame.image)
        except EndOfSource:
            return images


def protected(path, out, **options):
    return protect(Settings(source=str(path)), out, **options)


def numbers_in(value):
    if isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(inner)
    elif isinstance(value, float):
        yield value


class Boxes(Measurer):
    """Remembers where each frame's faces were, and what they look like moved."""

    seen: list = []  # noqa: RUF012

    def __call__(self, clean, protected):
        height, width = clean.image.shape[:2]
        faces = protected.faces.found
        boxes = [face_box(face.face_from_frame, width, height) for face in faces]
        moved = self._displaced(clean, faces).image
        self.seen.append((protected.output.value, boxes, moved))
        super().__call__(clean, protected)


@pytest.fixture
def boxes(monkeypatch):
    monkeypatch.setattr(Boxes, "seen", [])
    monkeypatch.setattr(command, "Measurer", Boxes)
    return Boxes


@pytest.mark.slow
def test_a_lossless_video_keeps_every_promise(clip, tmp_path, boxes):
    source, out = clip("in.mp4"), tmp_path / "out.mkv"
    told = protected(source, out, lossless=True, report_to=tmp_path / "r.json")
    before, after = images_of(VideoSource(source)), images_of(VideoSource(out))
    with VideoSource(out) as video:
        assert (video.rate, video.size) == (25, (401, 351))
    assert len(before) == len(after) == told["frames"]["in"] == told["frames"]["out"] == 10
    assert told["frames"]["cloaked"] >= 8
    largest = 0
    for one, other, (output, faces, moved) in zip(before, after, boxes.seen, strict=True):
        if output == "cloaked":
            change = np.abs(one.astype(int) - other)
            largest = max(largest, np.abs(moved.astype(int) - other).max())
            for left, top, right, bottom in faces:
                change[top:bottom, left:right] = 0
            assert not change.any()
        else:
            assert len(np.unique(other.reshape(-1, 3), axis=0)) < len(np.unique(one))
    assert 0 < largest <= told["budget_levels"]
    assert told["largest_change_levels"] == {"faces": largest, "elsewhere": 0}
    assert told == json.loads(json.dumps(told)) | {"perturbation": told["perturbation"]}
    for row in told["classifiers"].values():
        assert row["judged"] >= 8
        assert row["fooled"] <= row["judged"] == sum(row["readings"].values())
    assert (tmp_path / "r.json").is_file()
    assert all(map(math.isfinite, numbers_in(told)))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_stays_a_picture(portrait, tmp_path, boxes, suffix):
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    cv2.imwrite(str(source), portrait())
    told = protected(source, out)
    (before,), (after,) = images_of(PictureSource(source)), images_of(PictureSource(out))
    assert before.shape == after.shape == (351, 401, 3)
    assert told["frames"]["cloaked"] == 1
    ((_, _, moved),) = boxes.seen
    added = np.abs(moved.astype(int) - after)
    if suffix == ".png":
        assert added.max() == told["largest_change_levels"]["faces"] <= told["budget_levels"]
    assert 0 < added.mean() < told["budget_levels"]
    assert (before != after).any()


@pytest.mark.slow
def test_where_nobody_is_only_slates_go_out(clip, tmp_path):
    told = protected(clip("in.mp4", face=False), tmp_path / "out.mkv", lossless=True)
    assert told["frames"] == {
        "in": 10, "out": 10, "dropped": 0, "cloaked": 0, "held": 0, "shield": 10, "untouched": 0,
        "off": 0,
    }  # fmt: skip
    assert told["face"] == {"psnr_db": None, "ssim": None}
    after = images_of(VideoSource(tmp_path / "out.mkv"))
    assert all(np.array_equal(image, after[0]) for image in after)


@pytest.mark.parametrize("kind", ["grey", "alpha", "deep", "animated"])
def test_every_kind_of_picture_is_read(fakes, clip, portrait, tmp_path, kind):
    fakes()
    if kind == "animated":
        told = protected(clip("in.gif", codec="gif", pix_fmt="rgb8"), tmp_path / "out.mp4")
        assert told["frames"]["out"] == 10
        return
    picture = {
        "grey": portrait()[..., 0],
        "alpha": np.dstack([portrait(), np.full((351, 401), 128, np.uint8)]),
        "deep": portrait().astype(np.uint16) * 257,
    }[kind]
    cv2.imwrite(str(tmp_path / "in.png"), picture)
    assert protected(tmp_path / "in.png", tmp_path / "out.png")["frames"]["out"] == 1


def bad_inputs(folder, clip):
    """Files that cannot be protected, with what is said of each."""
    whole = clip("whole.mkv", count=40, codec="ffv1", pix_fmt="bgr0").read_bytes()
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    files = {
        "missing.mp4": (None, "No such file"),
        "empty.mp4": (b"", "is empty"),
        "empty.png": (b"", "not a picture"),
        "text.mp4": (b"hello\n" * 99, "not a video"),
        "text.txt": (b"hello\n" * 99, "has no picture"),
        "cut.mkv": (whole[: len(whole) * 6 // 10], "after frame"),
        "cut.png": (head, "stops in the middle"),
        "zero.png": (head + bytes(21) + b"IEND", "not a picture"),
    }
    for name, (content, _) in files.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return files


def test_a_bad_input_leaves_nothing(fakes, clip, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name, (_, said) in bad_inputs(tmp_path / "in", clip).items():
        fakes()
        suffix = ".png" if name.endswith("png") else ".mp4"
        with pytest.raises(FaceCloakError, match=said) as caught:
            protected(tmp_path / "in" / name, tmp_path / "out" / f"out{suffix}")
        assert caught.value.exit_code == 3, name
        assert caught.value.remedy, name
        assert not list((tmp_path / "out").iterdir()), name


@pytest.mark.parametrize("raised", [KeyboardInterrupt, TypeError])
def test_whatever_stops_it_leaves_nothing(fakes, clip, tmp_path, raised):
    def sees(frame):
        if frame.index == 3:
            raise raised
        return Faces()

    fakes(sees)
    with pytest.raises(raised):
        protected(clip("in.mp4"), tmp_path / "out.mp4", report_to=tmp_path / "r.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("out", "error", "said"),
    [
        ("in.png", ConfigError, "named twice"),
        ("./sub/../in.png", ConfigError, "named twice"),
        ("out.xyz", ConfigError, "names no format"),
        ("preview", ConfigError, "names no format"),
        ("-", ConfigError, "names no format"),
        ("nowhere/out.png", SinkUnavailable, "no such folder"),
        ("sub.png", SinkUnavailable, "is a folder"),
    ],
)
def test_an_output_that_cannot_be_is_refused(fakes, portrait, tmp_path, out, error, said):
    fakes()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub.png").mkdir()
    cv2.imwrite(str(tmp_path / "in.png"), portrait())
    content = (tmp_path / "in.png").read_bytes()
    with pytest.raises(error, match=said):
        protected(tmp_path / "in.png", tmp_path / out)
    assert (tmp_path / "in.png").read_bytes() == content
    assert {path.name for path in tmp_path.rglob("*")} == {"in.png", "sub", "sub.png"}


@pytest.mark.parametrize(
    ("report", "said"), [("nowhere/r.json", "no such folder"), ("sub", "is a folder")]
)
def test_a_report_that_cannot_be_is_refused_before_the_work(fakes, clip, tmp_path, report, said):
    fakes()
    (tmp_path / "sub").mkdir()
    with pytest.raises(SinkUnavailable, match=said):
        protected(clip("in.mp4"), tmp_path / "out.mp4", report_to=tmp_path / report)
    assert not (tmp_path / "out.mp4").exists()


def test_a_folder_that_takes_no_file_is_refused_before_the_work(fakes, clip, tmp_path, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    fakes()
    source = clip("in.mp4")
    monkeypatch.setattr("facecloak.commands.protect.tempfile.TemporaryFile", full)
    with pytest.raises(SinkUnavailable, match=r"r\.json cannot be written: No space left"):
        protected(source, tmp_path / "out.mp4", report_to=tmp_path / "r.json")
    assert not (tmp_path / "out.mp4").exists()


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "r.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": math.inf})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
