"""CAS(ME)^2: sheets without header, whole recordings, a folder in the wrong place."""

import pytest
from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.data.releases import casme_squared
from facecloak_train.data.releases.release import check

from facecloak.core.errors import ConfigError
from tests.fakes import releases


def by_name(release):
    return {f"{one.subject}/{one.name}": one for one in release.samples}


def reasons(release):
    return {one.what: one.reason for one in release.skipped}


def test_micro_expressions_with_everything_put_right(tmp_path):
    release = casme_squared.read(releases.casme_squared(tmp_path))
    found, told = by_name(release), reasons(release)
    assert set(found) == {"s15/happy1_1", "s15/happy1_2", "s16/disgust1_1", "s23/happy1_1"}
    assert {one.fps for one in release.samples} == {30.0}
    assert found["s15/happy1_1"].numbers == (3, 4, 5)
    assert "the clip ends at its apex, frame 5" in told["row 2, 1/happy1_1, offset"]
    middle = found["s15/happy1_2"]
    assert (middle.numbers, middle.numbers[middle.apex]) == ((8, 9, 10, 11, 12), 10)
    assert "taken to be the middle, frame 10" in told["row 3, 1/happy1_2, apex"]
    assert middle.reported == "helpless"
    assert "no span of time" in told["s15/happy2_1"]
    assert "15_0502funnyerrors" in str(middle.frames[0])


def test_the_recording_that_lies_with_another_subject(tmp_path):
    releases.casme_squared(tmp_path)
    release = casme_squared.read(tmp_path)
    stray = by_name(release)["s23/happy1_1"]
    assert str(stray.frames[0].parent.relative_to(tmp_path)) == "rawpic/s19/23_0502funnyerrors"
    assert stray.label == "others"
    assert "taken as that of s23" in reasons(release)["s19/23_0502funnyerrors, place"]
    proper = tmp_path / "rawpic" / "s23" / "23_0502funnyerrors"
    releases.pictures(proper, [f"img{n}.jpg" for n in range(1, 9)])
    again = casme_squared.read(tmp_path)
    assert by_name(again)["s23/happy1_1"].frames[0].parent == proper
    assert "there is one with s23, too" in reasons(again)["s19/23_0502funnyerrors"]


def test_rows_without_frames_and_frames_without_rows(tmp_path):
    told = reasons(casme_squared.read(releases.casme_squared(tmp_path)))
    assert "there is no folder 23_0505" in told["row 7, 7/happy3_1"]
    assert "no naming rule knows" in told["row 8, 9/happy9_1"]
    assert told["row 9"] == "codes no expression: 'some'"
    assert told["40_0508funnydunkey"] == "has frames but no row in the sheet"
    assert told["1 rows"] == "are no micro-expressions"


@pytest.mark.parametrize(("variant", "count"), [("micro", 4), ("macro", 1), ("all", 5)])
def test_macro_expressions_are_taken_when_asked_for(tmp_path, variant, count):
    release = casme_squared.read(releases.casme_squared(tmp_path), variant=variant)
    assert len(release.samples) == count
    assert release.variant == f"{variant} raw"
    assert ("s15/anger1_1" in by_name(release)) == (variant != "micro")
    expected = {"micro": 57, "macro": 300, "all": 357}[variant]
    assert f"clips: {count} (the official set has {expected})" in check(release)


def test_whole_recordings_by_stimulus_as_micro_exp_stcnn_takes_them(tmp_path):
    releases.casme_squared(tmp_path, last=1)
    place = tmp_path / "rawpic"
    for folder, last in (("s15/15_0401girlcrashing", 170), ("s16/16_0101disgustingteeth", 167)):
        releases.pictures(place / folder, [f"img{n:03d}.jpg" for n in range(1, last + 1)], (8, 8))
    releases.pictures(place / "s16" / "16_9999unknown", ["img001.jpg"])
    release = casme_squared.read(tmp_path, variant="videos")
    (clip,) = release.samples
    assert (clip.subject, clip.name, clip.label) == ("s15", "anger1", "angry")
    assert len(clip.frames) == 96
    assert (clip.frames[0].name, clip.frames[-1].name) == ("img073.jpg", "img168.jpg")
    told = reasons(release)
    assert told["16_0101disgustingteeth"] == "has 167 frames; frames 72..167 are taken"
    assert "its stimulus is none" in told["16_9999unknown"]
    assert "angry: 1 (the official set has 76)" in check(release)


@pytest.mark.parametrize(
    "sheet",
    [
        "CAS(ME)^2code_final.xlsx",
        "CAS(ME)^2code_final(Updated).xlsx",
        "code_final.xlsx",
        "CAS(ME)2code_final.xlsx",
    ],
)
def test_each_spelling_of_the_sheet(tmp_path, sheet):
    release = casme_squared.read(releases.casme_squared(tmp_path, sheet))
    assert [path.name for path in release.sheets] == [sheet]
    assert len(release.samples) == 4


def test_the_updated_sheet_goes_before_the_old_one(tmp_path):
    releases.casme_squared(tmp_path)
    row = (2, "disgust1_1", 2, 3, 7, "9", "negative", "micro-expression", "disgust")
    releases.xlsx(tmp_path / "CAS(ME)^2code_final(Updated).xlsx", CASFEcode_final=[row])
    (clip,) = casme_squared.read(tmp_path).samples
    assert clip.numbers == (2, 3, 4, 5, 6, 7)


def test_a_sheet_without_naming_rules_is_read_by_the_known_ones(tmp_path):
    release = casme_squared.read(releases.casme_squared(tmp_path, rules=False))
    assert set(by_name(release)) == {
        "s15/happy1_1",
        "s15/happy1_2",
        "s16/disgust1_1",
        "s23/happy1_1",
    }


def test_the_naming_rules_of_the_sheet_go_before_the_known_ones(tmp_path):
    releases.casme_squared(tmp_path)
    row = (1, "happy1_1", 2, 3, 6, "9", "positive", "micro-expression", "happiness")
    releases.xlsx(
        tmp_path / "CAS(ME)^2code_final.xlsx",
        CASFEcode_final=[row],
        naming_rule1=[("subject", "folder", "number"), (16, "s16", 1)],
        naming_rule2=[("code", "stimulus"), (101, "happy1")],
    )
    (clip,) = casme_squared.read(tmp_path).samples
    assert clip.frames[0].parent.name == "16_0101disgustingteeth"


@pytest.mark.parametrize("folder", ["cropped", "longVideoFaceCropped"])
def test_its_own_crops(tmp_path, folder):
    releases.casme_squared(tmp_path, frames=folder)
    release = casme_squared.read(tmp_path, crops=True)
    assert len(release.samples) == 4
    assert all(folder in str(one.frames[0]) for one in release.samples)
    with pytest.raises(DatasetError, match=r"no folder rawpic with sNN"):
        casme_squared.read(tmp_path)


def test_frames_without_zeros_in_front_come_in_the_order_of_their_numbers(tmp_path):
    releases.casme_squared(tmp_path)
    folder = tmp_path / "rawpic" / "s15" / "15_0502funnyerrors"
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"img{int(path.stem[3:])}.jpg")
    clip = by_name(casme_squared.read(tmp_path))["s15/happy1_2"]
    assert [path.name for path in clip.frames] == [f"img{n}.jpg" for n in range(8, 13)]


def test_what_is_none_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"no variant 'mikro'. Choose one of micro, macro"):
        casme_squared.read(tmp_path, variant="mikro")
    with pytest.raises(DatasetError, match=r"no CAS\(ME\)\^2code_final\.xlsx"):
        casme_squared.read(tmp_path)
    with pytest.raises(DatasetError, match="is no folder"):
        casme_squared.read(tmp_path / "missing")
