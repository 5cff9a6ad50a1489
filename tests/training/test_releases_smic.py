"""SMIC: no sheet, the folder is the label; SMIC-E: longer recordings, and a sheet with notes."""

import pytest
from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.data.releases import smic
from facecloak_train.data.releases.release import check

from facecloak.core.errors import ConfigError
from tests.fakes import releases


def by_name(release):
    return {f"{one.subject}/{one.name}": one for one in release.samples}


def reasons(release):
    return {one.what: one.reason for one in release.skipped}


@pytest.mark.parametrize(("camera", "fps"), [("HS", 100.0), ("VIS", 25.0), ("NIR", 25.0)])
@pytest.mark.parametrize("form", ["raw", "cropped"])
def test_the_short_form_of_each_camera(tmp_path, camera, fps, form):
    releases.smic(tmp_path, camera, form)
    release = smic.read(tmp_path, variant=camera.lower(), crops=form == "cropped")
    found, told = by_name(release), reasons(release)
    assert set(found) == {"s01/s1_ne_01", "s01/s1_po_01", "s11/s11_sur_02"}
    assert release.variant == f"{camera.lower()} {form}"
    negative = found["s01/s1_ne_01"]
    assert (negative.label, negative.fps, negative.apex) == ("negative", fps, None)
    assert negative.numbers == tuple(range(21240, 21246))
    assert negative.times_s[-1] == pytest.approx(5 / fps)
    assert found["s01/s1_po_01"].numbers == tuple(range(99998, 100004))
    assert "lies in neutral" in told["s11/s11_nu_01"]
    assert told["s1/s1_ne_02"] == "has no pictures"
    assert told["s20"] == "has no folder micro"
    assert len(told) == 3


def test_the_wanted_form_and_camera_are_taken_where_all_lie_together(tmp_path):
    for camera in ("HS", "VIS", "NIR"):
        for form in ("raw", "cropped"):
            releases.smic(tmp_path, camera, form)
    for camera in ("HS", "VIS", "NIR"):
        for form in ("raw", "cropped"):
            release = smic.read(tmp_path, variant=camera.lower(), crops=form == "cropped")
            places = {f"SMIC_all_{form}/{camera}/" in str(one.frames[0]) for one in release.samples}
            assert places == {True}


def test_the_folder_of_one_form_will_do(tmp_path):
    releases.smic(tmp_path)
    assert len(smic.read(tmp_path / "SMIC_all_raw").samples) == 3


def test_counts_are_those_of_the_camera(tmp_path):
    lines = check(smic.read(releases.smic(tmp_path)))
    assert "clips: 3 (the official set has 164)" in lines
    assert "subjects: 2 (the official set has 16)" in lines
    assert "negative: 1 (the official set has 70)" in lines


@pytest.mark.parametrize("camera", ["HS", "VIS", "NIR"])
@pytest.mark.parametrize("inside", ["", "deeper"])
def test_the_long_form(tmp_path, camera, inside):
    releases.smic_e(tmp_path, camera, inside=camera if inside else "")
    release = smic.read(tmp_path, variant=f"{camera.lower()}-e")
    found = by_name(release)
    assert set(found) == {"s01/s1_ne_01", "s01/s1_po_01", "s02/s2_sur_01", "s02/s2_sur_02"}
    negative = found["s01/s1_ne_01"]
    assert [path.name for path in negative.frames][:2] == ["image021243.jpg", "image021244.jpg"]
    assert negative.numbers == tuple(range(21243, 21249))
    assert negative.fps == {"HS": 100.0}.get(camera, 25.0)
    assert found["s02/s2_sur_01"].numbers == (4, 5, 6, 7, 8)


def test_the_oddities_of_the_sheet_are_told(tmp_path):
    release = smic.read(releases.smic_e(tmp_path), variant="hs-e")
    told = reasons(release)
    assert told["s1_po_01, frames 108..110"] == "a further expression in the same clip"
    assert by_name(release)["s02/s2_sur_02"].numbers == (4, 5, 6, 7, 8)
    assert "count from 501 in the sheet" in told["s2_sur_02, numbers"]
    assert by_name(release)["s02/s2_sur_02"].label == "surprise"
    assert told["s2_sur_02, emotion"] == "is positive in the sheet; the name says surprise"
    assert told["s3_ne_01"] == "has a row but no frames"
    assert told["s4_ne_01"] == "has frames but no row in the sheet"
    assert told["row 7"] == "names no clip: '1 1'"
    assert "three clips are lost" in told["row 8"]
    assert len(told) == 7


@pytest.mark.parametrize(
    ("camera", "sheet"),
    [
        ("HS", "SMIC-HS-E_annotation_2019.xlsx"),
        ("HS", "SMIC-HS-E/SMIC-HS-E_annotation.xlsx"),
        ("VIS", "SMIC_VIS_E_annotation.xlsx"),
    ],
)
def test_each_spelling_and_place_of_the_sheet(tmp_path, camera, sheet):
    releases.smic_e(tmp_path, camera, sheet)
    release = smic.read(tmp_path, variant=f"{camera.lower()}-e")
    assert len(release.samples) == 4
    assert str(release.sheets[0]).endswith(sheet)


def test_the_sheet_of_2019_goes_before_the_other(tmp_path):
    releases.smic_e(tmp_path, sheet="SMIC-HS-E_annotation.xlsx")
    releases.smic_e(tmp_path, sheet="SMIC-HS-E_annotation_2019.xlsx")
    release = smic.read(tmp_path, variant="hs-e")
    assert release.sheets[0].name == "SMIC-HS-E_annotation_2019.xlsx"


def test_columns_may_stand_in_another_order(tmp_path):
    releases.smic_e(tmp_path, "VIS")
    releases.xlsx(
        tmp_path / "SMIC-E_raw image" / "VIS_long" / "SMIC-VIS-E_annotation.xlsx",
        Sheet1=[
            ("Emotion", "FirstF", "OffsetF", "OnsetF", "Filename"),
            ("negative", 21240, 21248, 21243, "s01_ne_1 "),
        ],
    )
    (clip,) = smic.read(tmp_path, variant="vis-e").samples
    assert (clip.subject, clip.name, clip.label) == ("s01", "s1_ne_01", "negative")
    assert clip.numbers == tuple(range(21243, 21249))


def test_what_is_none_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"no variant 'hd'. Choose one of hs, vis, nir, hs-e"):
        smic.read(tmp_path, variant="hd")
    with pytest.raises(DatasetError, match="no folder SMIC_all_raw with HS/sN"):
        smic.read(tmp_path)
    with pytest.raises(DatasetError, match="no folder SMIC_all_cropped with NIR/sN"):
        smic.read(releases.smic(tmp_path), variant="nir", crops=True)
    with pytest.raises(DatasetError, match=r"no SMIC-HS-E_annotation\.xlsx"):
        smic.read(tmp_path, variant="hs-e")
    with pytest.raises(ConfigError, match="ships no crops"):
        smic.read(tmp_path, variant="hs-e", crops=True)
    with pytest.raises(DatasetError, match="is no folder"):
        smic.read(tmp_path / "missing")
    releases.smic_e(tmp_path / "e")
    (tmp_path / "e" / "SMIC-E_raw image" / "HS_long" / "SMIC-HS-E").rename(tmp_path / "away")
    with pytest.raises(DatasetError, match="no folder HS_long with sNN"):
        smic.read(tmp_path / "e", variant="hs-e")
