"""Defaults < file < environment < options, and every fault told at once."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core.errors import ConfigError
from facecloak.settings import CHOICES, PREFIX, Settings, load, load_or_set_aside, save

VALUES = {
    "source": st.sampled_from(["0", "demo", "call.mp4", "/dev/video2"]),
    "sink": st.sampled_from(["null", "-", "preview", "out.mkv"]),
    "strength": st.floats(0.25, 2.0),
    "max_strength": st.floats(0.25, 2.0),
    "perturbation": st.sampled_from(["default", "mine.safetensors"]),
    "hotkey": st.sampled_from(["none", "super+f"]),
    "width": st.integers(64, 7680),
    "height": st.integers(64, 4320),
    "fps": st.floats(1, 240),
    "hold_s": st.floats(0, 5),
    "proof_s": st.floats(0.1, 30),
    "judge_every_s": st.floats(0.05, 5),
} | {name: st.sampled_from(choices) for name, choices in CHOICES.items()}

some = st.fixed_dictionaries({}, optional=VALUES)


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory):
    return tmp_path_factory.mktemp("configuration") / "settings.toml"


def in_environment(values):
    return {PREFIX + name.upper(): str(value) for name, value in values.items()}


@given(in_file=some, around=some, given_=some)
def test_the_nearest_choice_wins(settings_file, in_file, around, given_):
    lines = [f"{name} = {json.dumps(value)}" for name, value in in_file.items()]
    settings_file.write_text("\n".join(lines), encoding="utf-8")
    made = load(given_, in_environment(around), settings_file)
    assert dataclasses.asdict(made) == dataclasses.asdict(Settings()) | in_file | around | given_


def test_every_setting_has_a_property_here():
    assert set(VALUES) == {field.name for field in dataclasses.fields(Settings)}


def test_without_a_choice_everything_is_the_default(tmp_path):
    strange = {"FACECLOAK_STRENGTH": "", "FACECLOAK_NONSENSE": "1", "STRENGTH": "2"}
    assert load({}, strange, tmp_path / "missing.toml") == Settings()


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("strength", "abc", "a number, got 'abc'"),
        ("strength", "0", "within 0.25 to 2, got '0'"),
        ("strength", "5", "within 0.25 to 2"),
        ("strength", "nan", "within 0.25 to 2, got 'nan'"),
        ("strength", True, "a number, got True"),
        ("strength", [1.0], "a number"),
        ("width", "640.5", "a whole number"),
        ("width", 640.5, "a whole number, got 640.5"),
        ("width", float("inf"), "a whole number"),
        ("height", "1e9", "a whole number"),
        ("fps", "inf", "within 1 to 240"),
        ("device", "tpu", "one of auto, cpu, cuda, got 'tpu'"),
        ("empty_room", "raw", "one of shield, pass"),
        ("sink", "", "a text"),
        ("sink", ["a", "b"], "a text"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(name, value, wanted):
    with pytest.raises(ConfigError, match=f"the options: {name} must be {wanted}"):
        load({name: value}, {})


@pytest.mark.parametrize("name", ["UNFOLED", "STRENGHT", "EMPTYROOM", "JUDGE", "unfooled"])
def test_a_misspelt_variable_is_told(name):
    """Who shields what is not fooled must not believe in a variable that nobody reads."""
    with pytest.raises(ConfigError, match=f"environment: there is no setting 'FACECLOAK_{name}'"):
        load({}, {f"FACECLOAK_{name}": "shield"})


@pytest.mark.parametrize("name", ["SHARED", "HYPOTHESIS", "UML", "TRAIN_LEASH"])
def test_variables_of_other_tools_are_none_of_ours(name):
    assert load({}, {f"FACECLOAK_{name}": "1"}) == Settings()


def test_a_whole_float_and_a_camera_number_are_understood():
    made = load({"width": 640.0, "source": 1}, {})
    assert (made.width, made.source) == (640, "1")


def test_all_faults_are_told_at_once(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('strengh = 1\nwidth = "wide"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load({"device": "tpu"}, {"FACECLOAK_FPS": "0", "FACECLOAK_UNFOOLED": "x"}, file)
    for part in (
        f"{file}: there is no setting 'strengh'; there are ",
        f"{file}: width must be",
        "the environment: fps must be",
        "the environment: unfooled must be",
        "the options: device must be",
    ):
        assert part in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("content", [b"strength = ", b"\xff\xfe", b"[a\n"])
def test_a_broken_file_is_told_with_the_other_faults(tmp_path, content):
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"settings\.toml cannot be read as TOML.*device must be"):
        load({"device": "tpu"}, {}, file)


@given(chosen=some)
def test_what_is_saved_is_loaded_again(settings_file, chosen):
    made = Settings(**chosen)
    save(made, settings_file)
    assert load({}, {}, settings_file) == made


def test_defaults_are_not_written_so_that_later_ones_hold(tmp_path):
    save(Settings(strength=0.75), tmp_path / "new" / "settings.toml")
    assert (tmp_path / "new" / "settings.toml").read_text() == "strength = 0.75\n"


def test_settings_that_cannot_be_saved_lose_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be saved"):
        save(Settings(), tmp_path / "file" / "settings.toml")


@pytest.mark.parametrize("content", [b"strength = ", b"\xff\xfe", b"strength = 9\n"])
def test_a_broken_file_is_set_aside_and_kept(tmp_path, content):
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    chosen, fault = load_or_set_aside({"FACECLOAK_FPS": "25"}, file)
    assert chosen == Settings(fps=25.0)
    assert "settings.toml.broken" in fault.remedy
    assert not file.exists()
    assert (tmp_path / "settings.toml.broken").read_bytes() == content


def test_a_fault_of_the_environment_leaves_the_file_alone(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("fps = 25.0\n")
    chosen, fault = load_or_set_aside({"FACECLOAK_STRENGTH": "much"}, file)
    assert chosen == Settings(fps=25.0)
    assert "much" in str(fault)
    assert file.exists()
