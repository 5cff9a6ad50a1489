import pytest
from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.data.releases import frames, sheets

from tests.fakes import releases

COLUMNS = {"subject": ("subject",), "onset": ("onsetframe", "onsetf")}


@pytest.mark.parametrize("write", [releases.xls, releases.xlsx])
@pytest.mark.parametrize("name", ["sheet.xls", "sheet.xlsx"])
def test_both_formats_whatever_the_file_is_called(tmp_path, write, name):
    path = tmp_path / name
    write(path, First=[("01", 1.0, 2.5, None, " x "), (7,)], Second=[])
    found = sheets.read(path)
    assert found["First"] == [("01", "1", "2.5", "", "x"), ("7", "", "", "", "")]
    assert found["Second"] == []


def test_columns_are_found_by_name_below_a_title_and_in_a_later_sheet(tmp_path):
    path = tmp_path / "sheet.xlsx"
    releases.xlsx(
        path,
        Notes=[("Subject",), ("1",)],
        Coding=[("CASME",), (), (" Onset Frame", "other", "SUBJECT"), (3, "a", 1), (), (4, "b", 2)],
    )
    first, second = sheets.table(path, COLUMNS)
    assert (first.number, first.index) == (4, 0)
    assert first.cells == {"subject": "1", "onset": "3"}
    assert first.others == (("onsetframe", "3"), ("other", "a"), ("subject", "1"))
    assert (second.number, second.index, second.cells["onset"]) == (6, 2, "4")


def test_the_first_accepted_header_that_is_there_counts(tmp_path):
    path = tmp_path / "sheet.xlsx"
    releases.xlsx(path, A=[("Subject", "OnsetF", "OnsetFrame"), (1, 2, 3)])
    (row,) = sheets.table(path, COLUMNS)
    assert row.cells["onset"] == "3"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a spreadsheet",
        b"PK\x03\x04 cut off",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        b"\xd0\xcf\x11\xe0",
    ],
)
def test_what_is_no_spreadsheet_is_named(tmp_path, content):
    path = tmp_path / "broken.xlsx"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"broken\.xlsx is no readable spreadsheet"):
        sheets.read(path)


@pytest.mark.parametrize("write", [releases.xls, releases.xlsx])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_spreadsheet_is_named(tmp_path, write, share):
    path = tmp_path / "cut.xls"
    write(path, A=[(n, f"text {n}") for n in range(300)])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DatasetError, match=r"cut\.xls is no readable spreadsheet"):
        sheets.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"none\.xls is no readable spreadsheet"):
        sheets.read(tmp_path / "none.xls")


@pytest.mark.parametrize(
    ("cell", "number"),
    [("12", 12), ("007", 7), ("/", None), ("", None), ("1.5", None), ("-3", None)],
)
def test_whole_numbers(cell, number):
    assert sheets.whole_number(cell) == number


def test_frames_come_by_number_and_junk_does_not(tmp_path):
    for name in (
        *("img10.jpg", "img9.jpg", "img0011.JPG", "img11.jpg", "reg_img12.png", "image000013.bmp"),
        *("EP01_12-14.jpg", "reg_EP01_12-015.jpeg"),
        *(
            "Thumbs.db",
            "._img1.jpg",
            "img.jpg",
            "img1.txt",
            "img1 (2).jpg",
            "Desktop - Shortcut.lnk",
        ),
    ):
        (tmp_path / name).write_bytes(b"x")
    found = frames.numbered(tmp_path)
    assert list(found) == [9, 10, 11, 12, 13, 14, 15]
    assert found[11].name == "img0011.JPG"


def test_the_search_does_not_go_into_subjects(tmp_path):
    inside = tmp_path / "Cropped" / "sub01" / "Cropped" / "sub02"
    inside.mkdir(parents=True)
    (tmp_path / "__MACOSX" / "Cropped").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    found = {path.relative_to(tmp_path).as_posix() for path in frames.below(tmp_path)}
    assert found == {"Cropped", "Cropped/sub01"}
