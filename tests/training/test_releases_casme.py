"""CASME and CASME II: a coding sheet, folders of frames, and everything that is wrong with them."""

import dataclasses

import pytest
from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.data.releases import casme, casme2, coded
from facecloak_train.data.releases.collecting import Collector
from facecloak_train.data.releases.release import Expected, check
from facecloak_train.data.releases.sheets import Row

from tests.fakes import releases


def by_name(release):
    return {f"{one.subject}/{one.name}": one for one in release.samples}


def reasons(release):
    return {one.what: one.reason for one in release.skipped}


class TestCasme:
    def test_raw_frames_of_both_sections_and_of_the_selection(self, tmp_path):
        release = casme.read(releases.casme(tmp_path))
        found = by_name(release)
        assert set(found) == {"sub01/EP01_12", "sub01/EP01_5", "sub08/EP12_1", "sub09/EP01_1"}
        assert release.variant == "raw"
        assert {one.fps for one in release.samples} == {60.0}
        first = found["sub01/EP01_12"]
        assert [path.name for path in first.frames] == [f"EP01_12-{n}.jpg" for n in range(3, 9)]
        assert "Section A" in str(first.frames[0])
        assert (first.label, first.apex, first.numbers[2]) == ("tense", 2, 5)
        assert found["sub01/EP01_5"].label == "disgust"
        assert found["sub08/EP12_1"].label == "contempt"
        assert found["sub08/EP12_1"].frames[0].name == "EP12_1-010.jpg"
        assert "CASME_raw_selected" in str(found["sub09/EP01_1"].frames[0])

    def test_every_row_and_folder_without_the_other_is_listed(self, tmp_path):
        told = reasons(casme.read(releases.casme(tmp_path)))
        assert "emotion '' is none of tense, disgust" in told["sub07/EP06_01"]
        assert told["sub10/EP02_1"] == "has a row but no frames"
        assert told["sub07/EP19_02"] == "has frames but no row in a sheet"
        assert len(told) == 3

    def test_its_own_crops(self, tmp_path):
        release = casme.read(releases.casme(tmp_path), crops=True)
        assert release.variant == "cropped"
        assert set(by_name(release)) == {"sub01/EP01_12", "sub09/EP01_1"}
        assert all(
            path.name.startswith("reg_EP01_1") for one in release.samples for path in one.frames
        )
        assert reasons(release)["sub08/EP12_1"] == "has a row but no frames"

    def test_one_section_alone_is_read_and_its_count_compared(self, tmp_path):
        releases.casme(tmp_path)
        (tmp_path / "CASME_A" / "Section A" / "Section A.xls").unlink()
        release = casme.read(tmp_path)
        assert set(by_name(release)) == {"sub08/EP12_1", "sub09/EP01_1"}
        lines = check(release)
        assert "clips: 2 (the official set has 189)" in lines
        assert "subjects: 2 (the official set has 19)" in lines
        assert "tense: 0 (the official set has 69)" in lines
        assert "contempt: 1" in lines

    def test_known_wrong_rows_are_put_right_only_where_the_files_say_so(self, tmp_path):
        a, b = tmp_path / "Section A", tmp_path / "Section B"
        rows = [releases.casme_row(1, f"EP01_{n}", 1, 2, 3, "tense") for n in range(41)]
        rows[40] = releases.casme_row(1, "EP01_40", 108, 0, 1000, "tense")
        releases.xls(a / "Section A.xls", Sheet1=[releases.CASME_HEADER, *rows])
        releases.xls(
            b / "Section B.xls",
            Sheet1=[
                releases.CASME_HEADER,
                releases.casme_row(8, "EP02_1", 60, 70, 80, "disgust"),
                releases.casme_row(8, "EP02_2", 60, 66, 70, "disgust"),  # row 42 of both
            ],
        )
        releases.pictures(
            a / "sub01" / "EP01_40", [f"EP01_40-{n}.jpg" for n in range(95, 160)], (8, 8)
        )
        releases.pictures(
            b / "sub08" / "EP02_2", [f"EP02_2-{n:03d}.jpg" for n in range(50, 120)], (8, 8)
        )
        release = casme.read(tmp_path)
        found = by_name(release)
        wrong = found["sub01/EP01_40"]
        assert (wrong.numbers[0], wrong.numbers[-1], wrong.numbers[wrong.apex]) == (100, 149, 120)
        assert "known to mean 100..149" in reasons(release)["sub01/EP01_40, row 42"]
        right = found["sub08/EP02_2"]
        assert (right.numbers[0], right.numbers[-1], right.numbers[right.apex]) == (60, 70, 66)

    @pytest.mark.parametrize("crops", [False, True])
    def test_another_folder_is_refused_in_a_sentence(self, tmp_path, crops):
        with pytest.raises(DatasetError, match=r"no Section A\.xls or Section B\.xls"):
            casme.read(tmp_path, crops=crops)
        with pytest.raises(DatasetError, match="is no folder"):
            casme.read(tmp_path / "missing", crops=crops)
        rows = [releases.CASME_HEADER, releases.casme_row(1, "EP01_1", 1, 2, 3, "tense")]
        releases.xls(tmp_path / "section a.XLS", Sheet1=rows)
        with pytest.raises(DatasetError, match="Cropped" if crops else "CASME_raw_selected"):
            casme.read(tmp_path, crops=crops)


class TestCasme2:
    def test_raw_frames_are_cut_from_whole_recordings(self, tmp_path):
        release = casme2.read(releases.casme2(tmp_path))
        found = by_name(release)
        first = found["sub01/EP02_01f"]
        assert [path.name for path in first.frames] == [f"img{n}.jpg" for n in range(46, 67)]
        assert "CASME2-RAW" in str(first.frames[0])
        assert (first.apex, first.numbers[first.apex]) == (13, 59)
        assert first.times_s[-1] == pytest.approx(20 / 200)
        assert len(found) == 6

    def test_the_release_s_own_crops_without_the_junk_between_them(self, tmp_path):
        release = casme2.read(releases.casme2(tmp_path), crops=True)
        first = by_name(release)["sub01/EP02_01f"]
        assert [path.name for path in first.frames] == [f"reg_img{n}.jpg" for n in range(46, 67)]
        assert len(release.samples) == 6

    @pytest.mark.parametrize("crops", [False, True])
    def test_oddities_are_put_right_or_skipped_and_told(self, tmp_path, crops):
        release = casme2.read(releases.casme2(tmp_path), crops=crops)
        found, told = by_name(release), reasons(release)
        assert found["sub01/EP19_05f"].apex is None
        assert told["sub01/EP19_05f, apex"] == "is '/'; the clip is used without an apex"
        assert found["sub02/EP01_11f"].numbers == (4, 5, 6, 7, 8)
        assert "the clip ends with its last file, 8" in told["sub02/EP01_11f, row 4"]
        assert found["sub02/EP03_02f"].apex is None
        assert "frame 40 is none of the clip's" in told["sub02/EP03_02f, apex"]
        assert told["sub05/EP03_01"] == "has a row but no frames"
        assert "'bliss' is none of others, disgust" in told["sub26/EP18_50"]
        assert told["sub13/EP01_01"] == "has frames but no row in a sheet"
        assert len(told) == 6

    def test_an_offset_that_nothing_tells_skips_the_clip(self, tmp_path):
        releases.casme2(tmp_path)
        for place in ("CASME2_RAW_selected", "Cropped"):
            (tmp_path / place).rename(tmp_path / f"{place} elsewhere")
        release = casme2.read(tmp_path)
        assert "sub02/EP01_11f" not in by_name(release)
        assert "nothing tells the right ones" in reasons(release)["sub02/EP01_11f"]

    @pytest.mark.parametrize(
        "sheet",
        [
            "CASME2-coding-20140508.xlsx",
            "CASME2-coding-20190701.xlsx",
            "CASME2_label_Ver_2.xls",
            "casme2-coding-20140508.XLSX",
        ],
    )
    def test_each_spelling_of_the_sheet(self, tmp_path, sheet):
        release = casme2.read(releases.casme2(tmp_path, sheet))
        assert len(release.samples) == 6
        assert [path.name for path in release.sheets] == [sheet]

    def test_the_newest_of_several_sheets_counts(self, tmp_path):
        releases.casme2(tmp_path)
        row = releases.casme2_row("01", "EP02_01f", 46, 59, 60, "happiness")
        rows = [releases.CASME2_HEADER, row]
        releases.xlsx(tmp_path / "CASME2-coding-20190701.xlsx", Sheet1=rows)
        release = casme2.read(tmp_path)
        assert [path.name for path in release.sheets] == ["CASME2-coding-20190701.xlsx"]
        assert by_name(release)["sub01/EP02_01f"].numbers[-1] == 60

    def test_missing_frames_are_told_and_keep_their_place_in_time(self, tmp_path):
        releases.casme2(tmp_path)
        for number in (50, 51):
            (tmp_path / f"CASME2_RAW/CASME2-RAW/sub01/EP02_01f/img{number}.jpg").unlink()
        release = casme2.read(tmp_path)
        clip = by_name(release)["sub01/EP02_01f"]
        assert len(clip.frames) == len(clip.numbers) == 19
        assert clip.times_s[4] == pytest.approx(6 / 200)
        assert clip.numbers[clip.apex] == 59
        assert "sub01/EP02_01f, 2 frames" in reasons(release)

    def test_a_clip_of_one_frame_is_none(self, tmp_path):
        releases.casme2(tmp_path)
        for number in range(4, 8):
            (tmp_path / f"CASME2_RAW/CASME2-RAW/sub02/EP03_02f/img{number}.jpg").unlink()
        release = casme2.read(tmp_path)
        assert "sub02/EP03_02f" not in by_name(release)
        assert "1 of the frames 4..8 are there" in reasons(release)["sub02/EP03_02f"]

    def test_two_rows_of_one_clip_are_two_samples(self, tmp_path):
        releases.casme2(tmp_path)
        rows = [
            releases.casme2_row("01", "EP02_01f", 46, 50, 55, "happiness"),
            releases.casme2_row("01", "EP02_01f", 56, 60, 66, "disgust"),
            releases.casme2_row("01", "EP02_01f", 56, 60, 66, "disgust"),
        ]
        sheet = tmp_path / "CASME2-coding-20190701.xlsx"
        releases.xlsx(sheet, Sheet1=[releases.CASME2_HEADER, *rows])
        release = casme2.read(tmp_path)
        assert set(by_name(release)) == {"sub01/EP02_01f", "sub01/EP02_01f@56"}
        assert "stands twice" in reasons(release)["sub01/EP02_01f"]

    def test_another_folder_is_refused_in_a_sentence(self, tmp_path):
        with pytest.raises(DatasetError, match=r"no CASME2-coding-\*\.xlsx"):
            casme2.read(tmp_path)
        rows = [releases.CASME2_HEADER, *releases.CASME2_ROWS]
        releases.xlsx(tmp_path / "CASME2-coding-20140508.xlsx", Sheet1=rows)
        with pytest.raises(DatasetError, match="CASME2_RAW or CASME2_RAW_selected"):
            casme2.read(tmp_path)

    def test_a_sheet_of_something_else_is_refused(self, tmp_path):
        releases.casme2(tmp_path)
        sheet = tmp_path / "CASME2-coding-20140508.xlsx"
        releases.xlsx(sheet, Sheet1=[("a", "b"), (1, 2)])
        with pytest.raises(DatasetError, match="no sheet has a header with the columns subject"):
            casme2.read(tmp_path)
        sheet.write_bytes(b"nonsense")
        with pytest.raises(DatasetError, match="no readable spreadsheet"):
            casme2.read(tmp_path)


def test_rows_that_name_no_clip_are_listed():
    into = Collector("casme2", 200.0)
    cells = dict.fromkeys(coded.COLUMNS, "")
    rows = [
        (0, Row(2, 0, cells | {"subject": "see readme.pdf"}, ())),
        (1, Row(3, 1, cells | {"subject": "1"}, ())),
    ]
    coded.collect(into, rows, coded.Places(wanted=(), cut=()), {}, {})
    assert [one.what for one in into.skipped] == ["row 2", "row 3"]


def test_a_full_release_is_told_without_remarks(tmp_path):
    release = casme2.read(releases.casme2(tmp_path))
    counts = {"happiness": 1, "others": 1, "repression": 1, "surprise": 1, "disgust": 1, "fear": 1}
    whole = dataclasses.replace(release, expected=Expected(clips=6, subjects=4, labels=counts))
    assert not [line for line in check(whole) if "official" in line or "not known" in line]
    unknown = dataclasses.replace(release, expected=Expected(clips=6))
    assert "subjects: 4 (how many there should be is not known)" in check(unknown)
