import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open
from safetensors.numpy import save_file

from facecloak.core import bank, displacement
from facecloak.core.bank import Bank
from facecloak.core.errors import ArtifactError
from facecloak.core.perturbation import Header, Perturbation, Victim

ALONE = Header(
    eps=8.0,
    method="test",
    seed=3,
    datasets=("none",),
    victims=(Victim("V", "0" * 64),),
    shift=0.01,
    strain=0.1,
)
HEADER = dataclasses.replace(ALONE, format=5, answers=("happy", "sad"), selector="ResNet14")
RIGHT = np.array([[[0.01]], [[0.0]]], np.float32)


def flat(levels, header=HEADER, **moved):
    return Perturbation(header, np.full((4, 4), levels, np.float32), **moved)


def three(header=HEADER):
    return Bank(
        header,
        {
            "sad": flat(-8, header),
            "any": flat(4, header),
            "happy": flat(2, header, displacement=RIGHT.copy()),
        },
    )


def damaged(path, change_header=None, change_tensors=None):
    """A bank's file with another header or other tensors."""
    three().save(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["facecloak"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header |= change_header or {}
    (change_tensors or (lambda _: None))(tensors)
    save_file(tensors, path, metadata={"facecloak": json.dumps(header)})
    return path


def test_file_round_trip(tmp_path):
    made = three()
    made.save(tmp_path / "b.safetensors")
    read = bank.load(tmp_path / "b.safetensors")
    assert read.header == HEADER
    assert read.labels == ("any", "happy", "sad")
    assert read.selector == "ResNet14"
    for label in made.labels:
        for name in ("static", "circle", "displacement"):
            np.testing.assert_array_equal(
                getattr(read.members[label], name), getattr(made.members[label], name)
            )
    assert [path.name for path in tmp_path.iterdir()] == ["b.safetensors"]


def test_a_label_without_a_member_gets_the_one_for_every_face():
    made = three()
    assert made.member("happy") is made.members["happy"]
    assert made.member("surprised") is made.members["any"]


def test_a_perturbation_alone_is_a_bank_of_one(tmp_path):
    path = tmp_path / "p.safetensors"
    alone = flat(4, ALONE)
    Bank.of(alone).save(path)
    read = bank.load(path)
    assert read.header == alone.header
    assert read.labels == ("any",)
    assert read.selector == ""
    np.testing.assert_array_equal(read.member("happy").static, alone.static)


def test_a_file_of_one_has_no_field_of_a_bank(tmp_path):
    Bank.of(flat(4, ALONE)).save(tmp_path / "p.safetensors")
    with safe_open(tmp_path / "p.safetensors", framework="numpy") as file:
        assert not {"answers", "selector"} & set(json.loads(file.metadata()["facecloak"]))


def test_the_circle_is_one_for_all_members_and_stands_once_in_the_file(tmp_path):
    circle = np.random.default_rng(0).uniform(-8, 8, (3, 5, 5)).astype(np.float32)
    made = Bank(HEADER, {label: flat(2, circle=circle) for label in ("any", "happy", "sad")})
    made.save(tmp_path / "b.safetensors")
    with safe_open(tmp_path / "b.safetensors", framework="numpy") as file:
        assert [name for name in file.keys() if "circle" in name] == ["circle"]  # noqa: SIM118
    read = bank.load(tmp_path / "b.safetensors")
    np.testing.assert_array_equal(read.member("sad").circle, circle)
    with pytest.raises(ValueError, match="'sad' changes otherwise with time"):
        Bank(HEADER, dict(made.members) | {"sad": flat(2)})


def test_the_golden_files_are_still_read():
    """Never made again: a reader that cannot read one breaks every bank of its format."""
    golden = Path(__file__).parents[1] / "golden"
    for number in (1, 2, 4):
        assert bank.load(golden / f"perturbation-{number}.safetensors").labels == ("any",)
    for number in (3, 5):
        read = bank.load(golden / f"perturbation-{number}.safetensors")
        assert read.labels == ("any", "happy")
        assert read.selector == "Golden"
        expected = [[2.0, -2.0], [2.0, 1.0]]
        np.testing.assert_array_equal(read.member("any").static, np.array(expected, np.float32))
        np.testing.assert_array_equal(read.member("happy").static, np.float32([[-3]]))
        longest = displacement.largest(read.member("happy").displacement)
        assert longest == pytest.approx(0.009, rel=0.01)
    np.testing.assert_array_equal(read.member("happy").circle[:, 0, 0], np.float32([1, -2, 3]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"format": 4}, "format 4 knows no answers", id="a format of one"),
        pytest.param({"answers": ()}, "at least one answer", id="no answers"),
        pytest.param({"answers": ("",)}, "at least one answer", id="an answer without a name"),
        pytest.param({"selector": ""}, "its selector", id="no selector"),
        pytest.param({"selector": 7}, "its selector", id="a selector that is no name"),
        pytest.param({"answers": ("sad", "sad")}, "not different", id="an answer twice"),
        pytest.param({"answers": ("any",)}, "other than 'any'", id="an answer for every face"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        dataclasses.replace(HEADER, **changes)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({"any": flat(1), "sad": flat(1)}, "no member 'happy'", id="one is missing"),
        pytest.param({"happy": flat(1), "sad": flat(1)}, "no member 'any'", id="that for all"),
        pytest.param(
            {name: flat(1) for name in ("any", "happy", "sad", "angry")},
            "do not name the member 'angry'",
            id="one too many",
        ),
        pytest.param(
            {"any": flat(1), "happy": flat(1), "sad": flat(1, dataclasses.replace(HEADER, seed=4))},
            "'sad' has another header",
            id="another header",
        ),
    ],
)
def test_members_that_do_not_fit_the_header_are_refused(members, reason):
    with pytest.raises(ValueError, match=reason):
        Bank(HEADER, members)


@pytest.mark.parametrize(
    ("header", "tensors", "reason"),
    [
        pytest.param({"eps": 4.0}, None, "of the member 'sad', the pattern reaches", id="eps"),
        pytest.param({"shift": 0.0}, None, "'happy', the displacement has a shift", id="shift"),
        pytest.param({"strain": 0.0}, None, "'happy', the displacement has a strain", id="strain"),
        pytest.param(
            {"answers": ["happy"]}, None, "'sad.displacement' is of no member", id="unnamed"
        ),
        pytest.param(
            {"answers": ["happy", "sad", "angry"]},
            None,
            "'angry.displacement' is missing",
            id="named",
        ),
        pytest.param(None, lambda held: held.pop("circle"), "'circle' is missing", id="no circle"),
        pytest.param(
            None,
            lambda held: held.update({"happy.static": np.float32([[np.nan]])}),
            "of the member 'happy', static holds no finite pattern",
            id="not finite",
        ),
        pytest.param({"selector": None}, None, "its selector", id="no selector"),
    ],
)
def test_a_file_that_breaks_its_header_is_refused(tmp_path, header, tensors, reason):
    path = damaged(tmp_path / "b.safetensors", header, tensors)
    with pytest.raises(ArtifactError, match=rf"b.safetensors is not.*{reason}.*Make it again"):
        bank.load(path)


def test_a_missing_file_and_a_damaged_one_are_told_apart(tmp_path):
    with pytest.raises(ArtifactError, match="no such file"):
        bank.load(tmp_path / "none.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"not a bank")
    with pytest.raises(ArtifactError, match="damaged"):
        bank.load(tmp_path / "b.safetensors")


def test_members_cannot_be_changed():
    with pytest.raises(TypeError):
        three().members["any"] = flat(1)


def test_another_header_is_that_of_every_member_and_checked():
    measured = dataclasses.replace(HEADER, measured={"fooling_rate": 0.5})
    renamed = three().with_header(measured)
    assert all(one.header == measured for one in renamed.members.values())
    with pytest.raises(ValueError, match="more than its eps"):
        three().with_header(dataclasses.replace(HEADER, eps=4.0))


fields = arrays.arrays(np.float32, (2, 3, 3), elements=st.floats(-1, 1, width=32))
planes = arrays.arrays(np.float32, (3, 3), elements=st.floats(-8, 8, width=32))


@given(st.lists(st.tuples(planes, fields), min_size=2, max_size=2), st.floats(0, 1))
def test_every_mix_keeps_the_budgets_of_its_members(pair, share):
    """What the compositors rely on while they fade: of patterns and fields, as painted."""
    kept = []
    for static, field in pair:
        size = max(displacement.largest(field) / 0.0099, displacement.strain(field) / 0.099, 1)
        kept.append((np.clip(static, -8, 8), (field / size).astype(np.float32)))
    static = sum(weight * one for weight, (one, _) in zip((share, 1 - share), kept, strict=True))
    field = sum(weight * one for weight, (_, one) in zip((share, 1 - share), kept, strict=True))
    assert np.abs(static).max() <= 8 + 1e-5
    assert displacement.largest(field.astype(np.float32)) <= 0.01
    assert displacement.strain(field.astype(np.float32)) <= 0.1
