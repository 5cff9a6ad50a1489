"""Small trees of the shapes that the official releases of micro-expressions have, of noise."""

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import xlwt

Rows = Sequence[Sequence[object]]


def pictures(folder: Path, names: Iterable[str], size: tuple[int, int] = (24, 20)) -> None:
    """Write pictures of noise, width x height, that differ from each other."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        rng = np.random.default_rng(zlib.crc32(f"{folder.name}/{name}".encode()))
        noise = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / name), noise)


def xlsx(path: Path, **sheets: Rows) -> None:
    """Write a new spreadsheet; an underscore in a sheet's name stands for a blank."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.replace("_", " ") if name.startswith("naming") else name)
        for row in rows:
            sheet.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def xls(path: Path, **sheets: Rows) -> None:
    """Write an old spreadsheet."""
    book = xlwt.Workbook()
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if cell is not None:
                    sheet.write(y, x, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(str(path))


CASME_HEADER = (
    *("Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None),
    *("AU", "AU-2", "Notes", "Emotion"),
)


def casme_row(subject, clip, onset, apex, offset, emotion):
    return (subject, clip, None, onset, apex, 0, offset, None, "4", None, None, emotion)


def casme(root: Path) -> Path:
    """Two sections with whole recordings, both patterns of names; the forms cut to the expression.

    Three rows of A and three of B, one of them with the misspelling; a clip without a row.
    """
    a, b = root / "CASME_A" / "Section A", root / "CASME_B" / "Section B"
    xls(
        a / "Section A.xls",
        Sheet1=[
            CASME_HEADER,
            casme_row(1.0, "EP01_12", 3.0, 5.0, 8.0, "tense"),
            casme_row(1.0, "EP01_5", 2.0, 3.0, 4.0, "disgust "),
            casme_row(7.0, "EP06_01", 2, 3, 6, None),
        ],
    )
    xls(
        b / "Section B.xls",
        Sheet1=[
            CASME_HEADER,
            casme_row(8, "EP12_1", 10, 11, 13, "comtempt"),
            casme_row(9, "EP01_1", 1, 2, 5, "surprise"),
            (),
            casme_row(10, "EP02_1", 1, 2, 5, "happiness"),
        ],
    )
    pictures(a / "sub01" / "EP01_12", [f"EP01_12-{n}.jpg" for n in range(1, 13)])
    pictures(a / "sub01" / "EP01_5", [f"img{n}.jpg" for n in range(1, 7)])
    pictures(a / "sub07" / "EP06_01", [f"img{n}.jpg" for n in range(1, 8)])
    pictures(a / "sub07" / "EP19_02", [f"img{n}.jpg" for n in range(1, 8)])
    pictures(b / "sub08" / "EP12_1", [f"EP12_1-{n:03d}.jpg" for n in range(8, 16)])
    selected = root / "CASME_raw_selected"
    pictures(selected / "sub01" / "EP01_12", [f"EP01_12-{n}.jpg" for n in range(3, 9)])
    pictures(selected / "sub09" / "EP01_1", [f"EP01_1-{n:03d}.jpg" for n in range(1, 6)])
    cropped = root / "Cropped"
    pictures(cropped / "sub01" / "EP01_12", [f"reg_EP01_12-{n}.jpg" for n in range(3, 9)])
    pictures(cropped / "sub09" / "EP01_1", [f"reg_EP01_1-{n:03d}.jpg" for n in range(1, 6)])
    return root


CASME2_HEADER = (
    *("Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None),
    *("Action Units", "Estimated Emotion"),
)


def casme2_row(subject, clip, onset, apex, offset, emotion):
    return (subject, clip, None, onset, apex, offset, None, "4+7", emotion)


CASME2_ROWS = (
    casme2_row("01", "EP02_01f", 46, 59, 66, "happiness"),
    casme2_row(1, "EP19_05f", 5, "/", 9, "others"),
    casme2_row("02", "EP01_11f", 4, 6, 0, "repression"),
    casme2_row("02", "EP03_02f", 4, 40, 8, "surprise"),
    casme2_row("04", "EP12_01f", 2, 3, 5, "disgust"),
    casme2_row("05", "EP09_05f", 2, 3, 5, "fear"),
    casme2_row("05", "EP03_01", 2, 3, 5, "disgust"),
    casme2_row("26", "EP18_50", 1, 2, 3, "bliss"),
)


def casme2(root: Path, sheet: str = "CASME2-coding-20140508.xlsx") -> Path:
    """The sheet, whole recordings, the cut form and crops; text and number subjects, oddities."""
    write = xls if sheet.endswith(".xls") else xlsx
    write(root / sheet, Sheet1=[CASME2_HEADER, *CASME2_ROWS])
    whole = root / "CASME2_RAW" / "CASME2-RAW"
    selected, cropped = root / "CASME2_RAW_selected", root / "Cropped"
    spans = {
        ("sub01", "EP02_01f"): range(46, 67),
        ("sub01", "EP19_05f"): range(5, 10),
        ("sub02", "EP01_11f"): range(4, 9),
        ("sub02", "EP03_02f"): range(4, 9),
        ("sub04", "EP12_01f"): range(2, 6),
        ("sub05", "EP09_05f"): range(2, 6),
        ("sub26", "EP18_50"): range(1, 4),
        ("sub13", "EP01_01"): range(1, 4),
    }
    for (subject, clip), span in spans.items():
        pictures(whole / subject / clip, [f"img{n}.jpg" for n in range(1, span.stop + 3)])
        pictures(selected / subject / clip, [f"img{n}.jpg" for n in span])
        pictures(cropped / subject / clip, [f"reg_img{n}.jpg" for n in span], size=(28, 34))
    (cropped / "sub01" / "EP02_01f" / "Desktop - Shortcut.lnk").write_bytes(b"L")
    (cropped / "sub01" / "Thumbs.db").write_bytes(b"T")
    return root


CASME_SQUARED_ROWS = (
    (1, "anger1_1", 5, 7, 12, "4+10+14+15", "negative", "macro-expression", "anger"),
    (1, "happy1_1", 3, 5, 0, "12", "positive", "micro-expression", "happiness"),
    (1, "happy1_2", 8, 0, 12, None, "positive", "micro-expression", "helpness"),
    (1, "happy2_1", 0, 0, 0, None, "surprise", "micro-expression", "surprise"),
    (2, "disgust1_1", 2, 3, 6, "9", "negative", "micro-expression", "disgust"),
    (7, "happy1_1", 2, 3, 6, "12", "others", "micro-expression", "sadness"),
    (7, "happy3_1", 2, 3, 6, "12", "positive", "micro-expression", "happiness"),
    (9, "happy9_1", 2, 3, 6, "12", "positive", "micro-expression", "happiness"),
    (None, "some", None, None, None, None, None, None, None),
)


def casme_squared(
    root: Path,
    sheet: str = "CAS(ME)^2code_final.xlsx",
    *,
    rules: bool = True,
    last: int = 14,
    frames: str = "rawpic",
) -> Path:
    """The sheets without header and recordings, one of them with another subject."""
    naming = {
        "naming_rule1": [(15, "s15", 1), (16, "s16", 2), (23, "s23", 7)],
        "naming_rule2": [
            ("0401", "anger1"),
            (502, "happy1"),
            ("0503", "happy2"),
            (101, "disgust1"),
            (505.0, "happy3"),
        ],
    }
    xlsx(root / sheet, CASFEcode_final=CASME_SQUARED_ROWS, **(naming if rules else {}))
    xlsx(root / "CAS(ME)^2blink-code.xlsx", Sheet1=[("a", "b")])
    (root / f"~${sheet}").write_bytes(b"lock")
    (root / f"._{sheet}").write_bytes(b"resources")
    place = root / frames
    names = [f"img{n:03d}.jpg" for n in range(1, last + 1)]
    for folder in (
        "s15/15_0401girlcrashing",
        "s15/15_0502funnyerrors",
        "s15/15_0503unnyfarting",
        "s16/16_0101disgustingteeth",
        "s19/23_0502funnyerrors",
        "s40/40_0508funnydunkey",
    ):
        pictures(place / folder, names)
    return root


def smic(root: Path, camera: str = "HS", form: str = "raw") -> Path:
    """The short form: clips in folders of classes, ``non_micro`` beside them."""
    place = root / f"SMIC_all_{form}" / camera
    prefix = "reg_image" if form == "cropped" else "image"
    for subject, kind, clip, first in (
        ("s1", "negative", "s1_ne_01", 21240),
        ("s1", "positive", "s1_po_01", 99998),
        ("s11", "surprise", "s11_sur_02", 7),
        ("s11", "neutral", "s11_nu_01", 7),
    ):
        numbers = range(first, first + 6)
        folder = place / subject / "micro" / kind / clip
        pictures(folder, [f"{prefix}{n:06d}.bmp" for n in numbers])
    pictures(place / "s1" / "non_micro" / "s1_non_01", [f"{prefix}000001.bmp"])
    (place / "s1" / "micro" / "negative" / "s1_ne_02").mkdir()
    (place / "s20").mkdir()
    return root


SMIC_E_HEADER = (
    *("Subject", "Filename", "Session", "OnsetF", "OffsetF", "OnsetF2", "OffsetF2"),
    *("OnsetF3", "OffsetF3", "Number", "FirstF", "LastF", "Total", "A", "B", "C", "Emotion"),
)


def smic_e_row(subject, clip, onset, offset, first, emotion, *, second=(None, None)):
    return (
        *(subject, clip, 1, onset, offset, *second, None, None, 1),
        *(first, None, None, None, None, None, emotion),
    )


def smic_e(root: Path, camera: str = "HS", sheet: str | None = None, inside: str = "") -> Path:
    """The long form with its sheet, inside or beside the frames."""
    place = root / "SMIC-E_raw image" / f"{camera}_long"
    frames = place / f"SMIC-{camera}-E" / inside
    sheet = sheet or f"SMIC-{camera}-E_annotation.xlsx"
    xlsx(
        place / sheet,
        Sheet1=[
            SMIC_E_HEADER,
            smic_e_row(1, "s1_ne_01", 21243, 21248, 21240, "negative"),
            smic_e_row(1, "s1_po_01", 103, 106, 101, "positive", second=(108, 110)),
            smic_e_row(2, "s2_sur_01", 4, 8, "lost", "surprise"),
            smic_e_row(2, "s2_sur_02", 504, 508, 501, "positive"),
            smic_e_row(3, "s3_ne_01", 4, 8, 1, "negative"),
            smic_e_row(None, None, None, None, None, None),
            ("Note: three clips are lost", *[None] * 16),
        ],
    )
    for subject, clip, first in (
        ("s01", "s1_ne_01", 21240),
        ("s01", "s1_po_01", 101),
        ("s02", "s2_sur_01", 1),
        ("s02", "s2_sur_02", 1),
        ("s04", "s4_ne_01", 1),
    ):
        pictures(frames / subject / clip, [f"image{first + n:06d}.jpg" for n in range(12)])
    return root
