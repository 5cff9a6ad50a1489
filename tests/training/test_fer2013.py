import gzip
import tarfile
import zlib

import cv2
import numpy as np
import pytest
from facecloak_train.cli import main
from facecloak_train.data import ferplus
from facecloak_train.data.fer2013 import (
    COUNTS,
    DatasetError,
    Faces,
    faults,
    read_npz,
    sole,
    without,
    write_npz,
)
from facecloak_train.data.fer2013_forms import read, read_csv

PIXELS = 48 * 48

pytestmark = pytest.mark.warns_in_log  # tables of a few rows are told to be short


def row(emotion, value, usage, order="epu"):
    cells = {"e": str(emotion), "p": " ".join([str(value)] * PIXELS), "u": usage}
    return ",".join(cells[key] for key in order)


def table(*rows, header="emotion,pixels,Usage"):
    return "\n".join([header, *rows]) + "\n"


GOOD = (
    row(0, 10, "Training"),
    row(3, 20, "Training"),
    row(6, 30, "PublicTest"),
    row(2, 40, "PrivateTest"),
)


def written(tmp_path, text):
    path = tmp_path / "fer.csv"
    path.write_text(text)
    return path


def test_the_official_file(tmp_path):
    splits = read_csv(written(tmp_path, table(*GOOD)))
    assert {name: len(faces) for name, faces in splits.items()} == {
        "Training": 2,
        "PublicTest": 1,
        "PrivateTest": 1,
    }
    assert splits["Training"].labels.tolist() == [0, 3]
    assert (splits["PrivateTest"].images == 40).all()


def test_the_icml_form_with_its_blanks_and_another_order(tmp_path):
    rows = [
        row(0, 1, "Training", "eup"),
        row(1, 2, "PublicTest", "eup"),
        row(2, 3, "PrivateTest", "eup"),
    ]
    splits = read_csv(written(tmp_path, table(*rows, header="emotion, Usage, pixels")))
    assert splits["PublicTest"].labels.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "line 1: .*columns.* found nothing", id="empty"),
        pytest.param("a,b\n1,2\n", "line 1: .*columns.* found a, b", id="another table"),
        pytest.param(
            table(*GOOD[:2]),
            r"fer\.csv ends after line 3: no faces for PublicTest, PrivateTest; is it truncated",
            id="ends after Training",
        ),
        pytest.param(
            table(*GOOD, "3,1 2 3,Training"),
            "line 6: expected 2304 pixels, found 3$",
            id="short row",
        ),
        pytest.param(table(*GOOD, row(9, 1, "Training")), "line 6: emotion", id="label"),
        pytest.param(
            table(*GOOD, row("x", 1, "Training")), "line 6: 'x' is not the number", id="no label"
        ),
        pytest.param(table(*GOOD, row(1, 300, "Training")), r"line 6: pixels.*300\.", id="range"),
        pytest.param(
            table(*GOOD, row(1, 10**30, "Training")), "line 6: pixels must lie", id="beyond int64"
        ),
        pytest.param(
            table(*GOOD, row(1, 7, "Training").replace("7 ", "7x ", 1)),
            "line 6: '7x' is not a pixel value$",
            id="a letter in a number",
        ),
        pytest.param(table(*GOOD, row(1, 1, "Test")), "line 6: Usage", id="split"),
        pytest.param(table(*GOOD, "1"), "line 6: expected 3 columns, found 1$", id="columns"),
        pytest.param(
            table(*GOOD, row(1, 1, "Training"))[:-100],
            "line 6: expected 3 columns, found 2; the file ends within this line$",
            id="cut in the middle of a row",
        ),
        pytest.param(
            table(*GOOD, row(1, 1, "PublicTest"))[:-3],
            "line 6: Usage .* found 'PublicTe'; the file ends within this line$",
            id="cut in the last cell",
        ),
        pytest.param(
            table(*GOOD, '"' + "1" * 200_000), "line 6: field larger", id="a quote without an end"
        ),
    ],
)
def test_a_fault_is_named_with_its_row(tmp_path, text, reason):
    with pytest.raises(DatasetError, match=reason) as failed:
        read_csv(written(tmp_path, text))
    assert len(str(failed.value)) < 200


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path):
    path = written(tmp_path, "")
    lines = [line.encode() for line in table(*GOOD, *GOOD).splitlines(keepends=True)]
    path.write_bytes(b"".join([*lines[:6], b"\xff" + lines[6], *lines[7:]]))
    with pytest.raises(DatasetError, match=r"^fer\.csv, line 7: it is not UTF-8$"):
        read_csv(path)


def test_blank_lines_are_passed_over(tmp_path):
    whole = read_csv(written(tmp_path, table(*GOOD)))
    same(read_csv(written(tmp_path, table(*GOOD) + "\n")), whole)
    same(read_csv(written(tmp_path, table(*GOOD[:3], "", "  ", GOOD[3]) + "\r\n")), whole)


def test_a_table_that_is_short_is_read_and_told(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(COUNTS, "Training", 2)
    monkeypatch.setitem(COUNTS, "PublicTest", 1)
    monkeypatch.setitem(COUNTS, "PrivateTest", 3)
    splits = read_csv(written(tmp_path, table(*GOOD) + "\n\n"))
    assert len(splits["PrivateTest"]) == 1
    (said,) = caplog.records
    assert said.levelname == "WARNING"
    assert "fer.csv ends after line 5 with 1 of 3 faces of PrivateTest; is" in said.getMessage()
    caplog.clear()
    read_csv(written(tmp_path, table(*GOOD, GOOD[3], GOOD[3])))
    assert not caplog.records


def test_prepared_arrays_come_back_the_same(tmp_path):
    splits = read_csv(written(tmp_path, table(*GOOD)))
    write_npz(tmp_path / "fer.npz", splits)
    again = read_npz(tmp_path / "fer.npz")
    for name, faces in splits.items():
        np.testing.assert_array_equal(again[name].images, faces.images)
        np.testing.assert_array_equal(again[name].labels, faces.labels)


def test_arrays_of_something_else_are_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="facecloak-train prepare"):
        read_npz(tmp_path / "x.npz")
    (tmp_path / "empty.npz").touch()
    np.save(tmp_path / "x.npy", np.zeros(3))
    for name in ("empty.npz", "x.npy"):
        with pytest.raises(DatasetError, match=f"{name}: not a prepared FER2013"):
            read_npz(tmp_path / name)


def test_faults_of_the_set_are_counted(tmp_path):
    rows = (*GOOD, row(0, 10, "PublicTest"), row(1, 10, "Training"))
    assert faults(read_csv(written(tmp_path, table(*rows)))) == {
        "duplicates": 2,
        "across_splits": 1,
        "conflicting": 1,
        "blank": 6,
    }


def test_faces_of_other_splits_are_left_out(tmp_path):
    rows = (*GOOD, row(0, 10, "PrivateTest"), row(1, 50, "PrivateTest"))
    splits = read_csv(written(tmp_path, table(*rows)))
    kept = without(splits["PrivateTest"], splits["Training"], splits["PublicTest"])
    assert kept.images[:, 0, 0].tolist() == [40, 50]
    assert kept.labels.tolist() == [2, 1]


def test_the_command_prepares_and_reports(tmp_path, caplog):
    source = written(tmp_path, table(*GOOD))
    with caplog.at_level("INFO"):
        code = main(
            [
                "prepare",
                "fer2013",
                "--source",
                str(source),
                "--out",
                str(tmp_path / "out" / "fer.npz"),
            ]
        )
    assert code == 0
    assert "Training: 2 faces (the official set has 28709)" in caplog.text
    assert (tmp_path / "out" / "fer.npz").is_file()


@pytest.mark.warns_in_log
def test_the_command_names_a_missing_file(tmp_path, caplog):
    code = main(
        [
            "prepare",
            "fer2013",
            "--source",
            str(tmp_path / "none.csv"),
            "--out",
            str(tmp_path / "fer.npz"),
        ]
    )
    assert code == 4
    assert "none.csv" in caplog.text


def test_faces_that_repeat_are_taken_once():
    values = [1, 2, 1, 3, 2]
    faces = Faces(np.stack([np.full((48, 48), value, np.uint8) for value in values]), np.arange(5))
    other = Faces(np.full((1, 48, 48), 3, np.uint8), np.zeros(1, np.int64))
    assert sole(faces).tolist() == [True, True, False, True, False]
    assert sole(faces, other).tolist() == [True, True, False, False, False]


def same(one, other):
    assert one.keys() == other.keys()
    for name, faces in one.items():
        np.testing.assert_array_equal(faces.images, other[name].images)
        np.testing.assert_array_equal(faces.labels, other[name].labels)


def archived(tmp_path, *members):
    path = tmp_path / "fer2013.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.add(member, f"fer2013/{member.name}")
    return path


def test_the_archive_is_read_without_unpacking_it(tmp_path):
    file = written(tmp_path, table(*GOOD))
    (tmp_path / "README").write_text("")
    same(read(archived(tmp_path, file, tmp_path / "README")), read(file))


def test_a_broken_archive_and_one_without_a_table_are_named(tmp_path):
    (tmp_path / "README").write_text("")
    with pytest.raises(DatasetError, match=r"one \.csv file in it, found none"):
        read(archived(tmp_path, tmp_path / "README"))
    with pytest.raises(DatasetError, match=r"found fer2013/a\.csv, fer2013/b\.csv$"):
        read(archived(tmp_path, *twice(tmp_path)))
    path = archived(tmp_path, written(tmp_path, table(*GOOD)))
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DatasetError, match=r"fer2013\.tar\.gz cannot be read: it ") as failed:
        read(path)
    assert "\n" not in str(failed.value)


def twice(tmp_path):
    files = tmp_path / "a.csv", tmp_path / "b.csv"
    for file in files:
        file.write_text(table(*GOOD))
    return files


@pytest.mark.parametrize("packed", [True, False])
def test_of_an_archive_that_is_cut_the_last_line_is_named_that_could_be_read(tmp_path, packed):
    noise = np.random.default_rng(0).integers(100, 256, (60, PIXELS))  # all rows are as long
    rows = [f"{n % 7},{' '.join(map(str, face))},Training" for n, face in enumerate(noise)]
    path = archived(tmp_path, written(tmp_path, table(*rows)))
    content = path.read_bytes()
    if not packed:
        content = gzip.decompress(content)
    half = content[: len(content) // 2]
    path.write_bytes(half)
    text = zlib.decompressobj(wbits=31).decompress(half) if packed else half
    there = text.count(b"\n")  # lines of which all is there, and one header without a line
    with pytest.raises(
        DatasetError, match=r"cannot be read after line \d+: it .*too early$"
    ) as cut:
        read(path)
    number = int(str(cut.value).partition("after line ")[2].partition(":")[0])
    assert there - 2 <= number <= there
    assert number > 20


def test_an_archive_that_was_damaged_on_the_way_is_named(tmp_path):
    path = archived(tmp_path, written(tmp_path, table(*GOOD)))
    half = gzip.decompress(path.read_bytes())[: PIXELS * 4]
    deflate = zlib.compressobj(wbits=31)
    no_block = b"\xff" * 9
    path.write_bytes(deflate.compress(half) + deflate.flush(zlib.Z_FULL_FLUSH) + no_block)
    with pytest.raises(DatasetError, match=r"fer2013\.tar\.gz cannot be read.*: it is damaged$"):
        read(path)


def pictures(folder, *named):
    for number, name in enumerate(named):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((48, 48), 10 * number, np.uint8))
    return folder


def test_folders_tell_splits_by_names_of_images_or_of_folders(tmp_path):
    by_image = pictures(
        tmp_path / "one",
        "test/sad/PrivateTest_7.png",
        "test/fear/PublicTest_1.png",
        "train/happy/Training_3.png",
    )
    by_folder = pictures(
        tmp_path / "other", "PrivateTest/sad/7.png", "publictest/fear/1.png", "train/happy/3.png"
    )
    splits = read(by_image)
    assert {name: faces.labels.tolist() for name, faces in splits.items()} == {
        "Training": [3],
        "PublicTest": [2],
        "PrivateTest": [4],
    }
    assert splits["Training"].images.max() == 20
    same(read(by_folder), splits)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test/sad/7.png", "tells no split"),
        ("train/bored/7.png", "no folder of a class"),
    ],
)
def test_an_image_out_of_place_is_named(tmp_path, name, reason):
    with pytest.raises(DatasetError, match=f"7.png.* {reason}"):
        read(pictures(tmp_path, "train/happy/1.png", name))


def test_an_image_that_is_no_face_of_the_set_is_named(tmp_path):
    pictures(tmp_path, "train/happy/1.png")
    cv2.imwrite(str(tmp_path / "train/happy/2.png"), np.zeros((40, 48), np.uint8))
    with pytest.raises(DatasetError, match=r"2\.png is 48x40 pixels"):
        read(tmp_path)
    (tmp_path / "train/happy/2.png").write_bytes(b"no")
    with pytest.raises(DatasetError, match=r"2\.png is broken"):
        read(tmp_path)


VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def test_majorities_of_the_crowd(tmp_path):
    path = tmp_path / "fer2013new.csv"
    rows = [
        "Training,a.png,6,0,1,1,0,0,0,0,2,0",  # single votes fall out: 6 of 8
        "Training,b.png,4,0,0,4,0,0,0,0,2,0",  # nobody has more than half
        "PublicTest,c.png,0,10,0,0,0,0,0,0,0,0",
        "PrivateTest,,0,0,0,0,0,0,0,0,0,10",  # no face
        "PrivateTest,e.png,0,0,0,0,0,0,0,10,0,0",  # contempt, which FER2013 does not know
        "PrivateTest,f.png,0,0,0,0,9,0,1,0,0,0",
    ]
    path.write_text("\n".join([VOTES, *rows]) + "\n")
    counts = {"Training": 2, "PublicTest": 1, "PrivateTest": 3}
    labels = ferplus.majorities(path, counts)
    assert {name: found.tolist() for name, found in labels.items()} == {
        "Training": [6, -1],
        "PublicTest": [3],
        "PrivateTest": [-1, -1, 0],
    }
    with pytest.raises(DatasetError, match="PrivateTest: 3 rows for 2 faces"):
        ferplus.majorities(path, counts | {"PrivateTest": 2})
    path.write_text("\n".join([VOTES, "Training,a.png,6,x"]) + "\n")
    with pytest.raises(DatasetError, match="line 2"):
        ferplus.majorities(path, counts)


def test_votes_in_another_order_than_the_faces_are_told(tmp_path):
    labels = np.arange(100) % 7
    shuffled = np.random.default_rng(0).permutation(labels)
    unclear = np.full(300, -1)
    ferplus.check_order(tmp_path / "votes.csv", labels, labels)
    ferplus.check_order(
        tmp_path / "votes.csv", np.append(labels, unclear), np.append(labels, unclear + 1)
    )
    ferplus.check_order(tmp_path / "votes.csv", unclear, unclear + 1)
    with pytest.raises(DatasetError, match=r"votes\.csv agrees with \d+ %.*from fer2013\.csv"):
        ferplus.check_order(tmp_path / "votes.csv", shuffled, labels)


def test_a_split_that_is_not_asked_for_is_not_read(tmp_path):
    path = tmp_path / "fer2013new.csv"
    path.write_text(
        "\n".join([VOTES, "Training,a.png,6,0,1,1,0,0,0,0,2,0", "PublicTest,,0,0,0,0,0,0,0,0,0,1"])
    )
    votes = ferplus.votes(path, {"Training": 1})
    assert {name: rows.tolist() for name, rows in votes.items()} == {
        "Training": [[6, 0, 1, 1, 0, 0, 0, 0, 2, 0]]
    }
