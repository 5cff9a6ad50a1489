import numpy as np
import pytest
from facecloak_train.cli import main
from facecloak_train.data.fer2013 import (
    DatasetError,
    faults,
    read_csv,
    read_npz,
    without,
    write_npz,
)

PIXELS = 48 * 48


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
        pytest.param("", "columns", id="empty"),
        pytest.param("a,b\n1,2\n", "columns", id="another table"),
        pytest.param(table(*GOOD[:2]), "truncated", id="ends after Training"),
        pytest.param(
            table(*GOOD, "3,1 2 3,Training"),
            "line 6: expected 2304 pixels, found 3",
            id="short row",
        ),
        pytest.param(table(*GOOD, row(9, 1, "Training")), "line 6: emotion", id="label"),
        pytest.param(table(*GOOD, row(1, 300, "Training")), "line 6: pixels", id="range"),
        pytest.param(table(*GOOD, row(1, 1, "Test")), "line 6: Usage", id="split"),
        pytest.param(table(*GOOD, "1"), "line 6", id="cut in the middle of a row"),
    ],
)
def test_a_fault_is_named_with_its_row(tmp_path, text, reason):
    with pytest.raises(DatasetError, match=reason):
        read_csv(written(tmp_path, text))


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
