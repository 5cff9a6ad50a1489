"""A measurement that is killed goes on; one that asks something else begins anew."""

import pytest
from facecloak_train.measure.ledger import Ledger


def row(number):
    return {"number": number, "label": 3}


def test_rows_are_there_again(tmp_path):
    folder = tmp_path / "deep" / "progress"
    Ledger(folder, {"legs": ["a"]}).add([row(4), row(9)])
    again = Ledger(folder, {"legs": ["a"]})
    assert again.rows == {4: row(4), 9: row(9)}
    again.add([row(1)])
    assert set(Ledger(folder, {"legs": ["a"]}).rows) == {4, 9, 1}
    again.remove()
    assert not folder.exists()


def test_another_question_begins_anew(tmp_path):
    Ledger(tmp_path, {"legs": ["a"]}).add([row(4)])
    assert Ledger(tmp_path, {"legs": ["b"]}).rows == {}
    assert Ledger(tmp_path, {"legs": ["a"]}).rows == {}


@pytest.mark.parametrize("lost", [1, 10])
def test_a_row_that_a_kill_cut_short_is_measured_again(tmp_path, lost):
    Ledger(tmp_path, {}).add([row(4), row(9)])
    file = tmp_path / "faces.jsonl"
    file.write_bytes(file.read_bytes()[:-lost])
    ledger = Ledger(tmp_path, {})
    assert ledger.rows == {4: row(4)}
    ledger.add([row(9)])
    assert set(Ledger(tmp_path, {}).rows) == {4, 9}


def test_what_served_another_question_goes_with_it(tmp_path):
    folder = tmp_path / "progress"
    Ledger(folder, {"seed": 1})
    (folder / "landmark-rule.safetensors").write_text("fitted to other faces")
    Ledger(folder, {"seed": 1})
    assert (folder / "landmark-rule.safetensors").exists()
    Ledger(folder, {"seed": 2}).add([row(4)])
    assert [path.name for path in folder.iterdir()] == ["faces.jsonl"]
    assert Ledger(folder, {"seed": 2}).rows == {4: row(4)}
