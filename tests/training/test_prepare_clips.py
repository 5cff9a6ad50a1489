"""From a release to the cache of clips, through the command line."""

import gc
import os
import tracemalloc

import cv2
import numpy as np
import pytest
from facecloak_train.cli import main
from facecloak_train.data import clips
from facecloak_train.data.clips import read_clips
from facecloak_train.recipes import prepare_clips as recipe
from facecloak_train.settings import PrepareClipsSettings

from facecloak.capture.portrait import Portrait
from facecloak.verify.crop import face_crop
from tests.fakes import releases

pytestmark = pytest.mark.warns_in_log  # a command that fails says so there


def prepare(dataset, source, out, *options):
    return main(["prepare", dataset, "--source", str(source), "--out", str(out), *options])


def prepared(tmp_path, dataset, *options):
    out = tmp_path / "out"
    assert prepare(dataset, tmp_path / "source", out, *options) == 0
    return read_clips(out)


class TestEachRelease:
    def test_casme2(self, tmp_path, caplog):
        caplog.set_level("INFO")
        releases.casme2(tmp_path / "source")
        found = prepared(tmp_path, "casme2", "--crops")
        assert found.classes == ("negative", "positive", "surprise")
        assert found.names == ("EP02_01f", "EP01_11f", "EP03_02f")  # the challenge lacks EP12_01f
        assert found.subjects == ("sub01", "sub02", "sub02")
        assert found.labels.tolist() == [1, 0, 2]
        assert found.lengths.tolist() == [21, 5, 5]
        np.testing.assert_allclose(np.diff(found.clip(0).times_s), 1 / 200)
        said = caplog.text
        assert "clips: 6 (the official set has 255)" in said
        assert "skipped: sub05/EP03_01: has a row but no frames" in said
        assert "fear: 1 clips are in no class of megc" in said
        assert "sub04/EP12_01f: is left out by megc" in said
        assert "class positive: 1 clips" in said
        assert "3 clips, " in said
        assert " a second" in said
        kept = (tmp_path / "out" / "skipped.txt").read_text().splitlines()
        assert "sub05/EP03_01: has a row but no frames" in kept

    def test_casme(self, tmp_path):
        releases.casme(tmp_path / "source")
        found = prepared(tmp_path, "casme", "--crops", "--scheme", "original")
        assert [found.classes[label] for label in found.labels] == ["tense", "surprise"]

    def test_casme_squared(self, tmp_path):
        releases.casme_squared(tmp_path / "source", frames="cropped")
        found = prepared(tmp_path, "casme-squared", "--crops", "--variant", "all")
        assert found.names == ("anger1_1", "happy1_1", "happy1_2", "disgust1_1")
        assert found.identity["variant"] == "all cropped"

    def test_smic(self, tmp_path):
        releases.smic(tmp_path / "source", "VIS", "cropped")
        found = prepared(tmp_path, "smic", "--crops", "--variant", "vis", "--scheme", "stcnn")
        assert found.labels.tolist() == [0, 1, 2]
        assert found.clip(0).times_s[1] == pytest.approx(0.04)


def test_the_release_s_crops_become_grey_squares(tmp_path):
    releases.casme2(tmp_path / "source")
    folder = tmp_path / "source" / "Cropped" / "sub02" / "EP01_11f"
    for number in range(4, 9):
        ramp = np.repeat(np.linspace(0, 255, 280)[None, :, None], 340, 0).repeat(3, 2)
        cv2.imwrite(str(folder / f"reg_img{number}.jpg"), ramp.astype(np.uint8))
    clip = prepared(tmp_path, "casme2", "--crops").clip(1)
    row = clip.frames[0, 56].astype(float)
    assert np.abs(row - np.linspace(0, 255, 112)).max() < 4


@pytest.mark.filterwarnings("ignore::UserWarning")  # protobuf's, of MediaPipe
@pytest.mark.slow
def test_faces_are_found_and_aligned_once_for_the_clip(tmp_path, caplog):
    """The demo portrait in the frames of CASME II; clips of noise have no face and are skipped."""
    caplog.set_level("INFO")
    source = releases.casme2(tmp_path / "source")
    folder = source / "CASME2_RAW" / "CASME2-RAW" / "sub01" / "EP02_01f"
    portrait = Portrait()
    shown = {}
    for number in range(46, 67):
        picture = portrait.picture(number / 200)[60:660, 240:1040]
        shown[number] = cv2.resize(picture, (640, 480), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"img{number}.jpg"), shown[number], [cv2.IMWRITE_JPEG_QUALITY, 98])
    found = prepared(tmp_path, "casme2")
    assert found.names == ("EP02_01f",)
    assert "sub02/EP03_02f: no face is found" in (tmp_path / "out" / "skipped.txt").read_text()
    assert "skipped: sub02/EP01_11f: no face is found" in caplog.text
    clip = found.clip(0)
    with recipe.Finding() as finding:
        places = [finding.face(shown[number]).face_from_frame for number in range(52, 60)]
    alone = np.stack([face_crop(shown[52 + i], place, 112) for i, place in enumerate(places)])
    together = clip.frames[6:14]
    assert np.abs(together.astype(float) - alone).mean() < 3  # a pixel to the side makes 8

    def flicker(frames):
        return np.abs(np.diff(frames.astype(float), axis=0)).mean()

    assert flicker(together) < 0.95 * flicker(alone)


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--scheme", "seven"], 2, "no class scheme 'seven'"),
        (["--scheme", "stcnn"], 2, "stcnn is not for casme2"),
        (["--variant", "hs"], 2, "casme2 has no variants"),
    ],
)
def test_bad_options_are_one_sentence(tmp_path, caplog, options, code, sentence):
    releases.casme2(tmp_path / "source")
    out = tmp_path / "out"
    assert prepare("casme2", tmp_path / "source", out, "--crops", *options) == code
    assert sentence in caplog.text
    assert not out.exists()


def test_another_folder_and_another_scheme_are_one_sentence(tmp_path, caplog):
    (tmp_path / "source").mkdir()
    assert prepare("smic", tmp_path / "source", tmp_path / "out") == 4
    assert "is no release of SMIC" in caplog.text
    releases.casme_squared(tmp_path / "source")
    options = ["--scheme", "stcnn"]
    assert prepare("casme-squared", tmp_path / "source", tmp_path / "out", *options) == 4
    assert "has no clip with a class of stcnn" in caplog.text
    assert not (tmp_path / "out").exists()


class TestReuse:
    @pytest.fixture
    def source(self, tmp_path):
        return releases.casme2(tmp_path / "source")

    def run(self, source, tmp_path, caplog, **changes):
        """Whether clips were made, or what was there was taken."""
        caplog.set_level("INFO")
        caplog.clear()
        given = {"source": source, "out": tmp_path / "out", "crops": True}
        recipe.prepare_clips("casme2", PrepareClipsSettings(**given | changes))
        return "holds these clips already" not in caplog.text

    def test_the_same_release_and_settings_are_not_prepared_again(self, source, tmp_path, caplog):
        assert self.run(source, tmp_path, caplog)
        stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
        assert not self.run(source, tmp_path, caplog)
        assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}

    def test_anything_else_is(self, source, tmp_path, caplog):
        self.run(source, tmp_path, caplog)
        assert self.run(source, tmp_path, caplog, scheme="five")
        self.run(source, tmp_path, caplog)
        frame = source / "Cropped" / "sub01" / "EP02_01f" / "reg_img50.jpg"
        releases.pictures(frame.parent, [frame.name], (30, 30))
        assert self.run(source, tmp_path, caplog)
        frame.unlink()
        assert self.run(source, tmp_path, caplog)
        os.utime(source / "CASME2-coding-20140508.xlsx", (0, 0))
        assert self.run(source, tmp_path, caplog)
        assert not self.run(source, tmp_path, caplog)

    def test_a_label_that_another_reading_gives_is(self, source, tmp_path, caplog, monkeypatch):
        self.run(source, tmp_path, caplog)
        given = recipe.schemes.label_of_sample
        monkeypatch.setattr(
            recipe.schemes,
            "label_of_sample",
            lambda scheme, one: 0 if one.label == "happiness" else given(scheme, one),
        )
        assert self.run(source, tmp_path, caplog)

    def test_another_version_of_the_cutting_is(self, source, tmp_path, caplog, monkeypatch):
        self.run(source, tmp_path, caplog)
        monkeypatch.setattr(recipe, "_VERSION", recipe._VERSION + 1)
        assert self.run(source, tmp_path, caplog)

    def test_what_is_truncated_is_named_and_made_again(self, source, tmp_path, caplog):
        self.run(source, tmp_path, caplog)
        clip = tmp_path / "out" / "clip-00001.npz"
        os.truncate(clip, 1000)
        assert self.run(source, tmp_path, caplog)
        assert "clip-00001.npz has 1000 bytes" in caplog.text
        os.truncate(tmp_path / "out" / "clips.json", 20)
        assert self.run(source, tmp_path, caplog)
        assert "clips.json is no index" in caplog.text
        assert not self.run(source, tmp_path, caplog)
        assert len(read_clips(tmp_path / "out")) == 3

    def test_a_killed_preparation_counts_as_nothing(self, source, tmp_path, caplog, monkeypatch):
        made = []

        def killed(*args):
            made.append(args)
            if len(made) > 2:
                raise KeyboardInterrupt
            return clips.Clip(*args)

        with monkeypatch.context() as patched:
            patched.setattr(recipe, "Clip", killed)
            assert prepare("casme2", source, tmp_path / "out", "--crops") == 130
        assert (tmp_path / "out" / "clip-00001.npz").exists()
        assert not (tmp_path / "out" / "clips.json").exists()
        assert self.run(source, tmp_path, caplog)
        assert len(read_clips(tmp_path / "out")) == 3


def test_pictures_that_cannot_be_read_are_told(tmp_path, caplog):
    source = releases.casme2(tmp_path / "source")
    broken = source / "Cropped" / "sub01" / "EP02_01f"
    (broken / "reg_img50.jpg").write_bytes(b"")
    (broken / "reg_img51.jpg").write_bytes(b"no picture")
    for path in (source / "Cropped" / "sub02" / "EP03_02f").iterdir():
        path.write_bytes(b"no picture")
    found = prepared(tmp_path, "casme2", "--crops")
    assert found.names == ("EP02_01f", "EP01_11f")
    times = found.clip(0).times_s
    assert len(times) == 19
    assert times[4] == pytest.approx(6 / 200)
    told = (tmp_path / "out" / "skipped.txt").read_text()
    assert "sub01/EP02_01f, 2 pictures: cannot be read" in told
    assert "sub02/EP03_02f: only 0 of its 5 pictures can be read" in told


def test_one_place_cuts_all_pictures_of_a_clip_and_those_of_another_size_are_none(
    tmp_path, monkeypatch
):
    source = releases.casme2(tmp_path / "source")
    whole = source / "CASME2_RAW" / "CASME2-RAW" / "sub02"
    releases.pictures(whole / "EP03_02f", ["img6.jpg"], (40, 30))
    place = np.array([[1 / 20, 0, 0], [0, 1 / 20, 0]])
    monkeypatch.setattr(recipe, "steady_place", lambda finding, images: place)
    monkeypatch.setattr(recipe, "Finding", lambda: open(os.devnull))  # noqa: SIM115, PTH123
    found = prepared(tmp_path, "casme2")
    assert found.names == ("EP02_01f", "EP01_11f")
    for number, crop in zip(range(4, 9), found.clip(1).frames, strict=True):
        picture = cv2.imread(str(whole / "EP01_11f" / f"img{number}.jpg"))
        np.testing.assert_array_equal(crop, face_crop(picture, place, 112))
    told = (tmp_path / "out" / "skipped.txt").read_text()
    assert "sub02/EP03_02f: img6.jpg is 40x30 pixels, unlike those before" in told


@pytest.mark.slow
def test_memory_is_bounded_whatever_the_size_of_the_release(tmp_path):
    """120 clips of 40 frames: 60 MB of faces pass through an eighth of that."""
    source = tmp_path / "source"
    rows = [
        releases.casme2_row(1 + n % 26, f"EP{n:03d}_01", 1, 2, 40, "disgust") for n in range(120)
    ]
    releases.xlsx(source / "CASME2-coding-20140508.xlsx", Sheet1=[releases.CASME2_HEADER, *rows])
    releases.pictures(source, ["one.jpg"])
    for n in range(120):
        folder = source / "Cropped" / f"sub{1 + n % 26:02d}" / f"EP{n:03d}_01"
        folder.mkdir(parents=True)
        for number in range(1, 41):
            os.link(source / "one.jpg", folder / f"reg_img{number}.jpg")
    settings = PrepareClipsSettings(source=source, out=tmp_path / "out", crops=True)
    gc.collect()
    tracemalloc.start()
    try:
        found = recipe.prepare_clips("casme2", settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == 120
    assert int(found.lengths.sum()) * 112 * 112 > 60e6
    assert peak < 7.5e6
