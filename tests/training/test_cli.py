import argparse

import pytest
from facecloak_train import cli, hardening, nets
from facecloak_train.cli import build, field_docs, main
from facecloak_train.commands import (
    ABOUT_TABLES,
    COMMANDS,
    GROUPS,
    PREPARE,
    RESUMED,
    TABLES,
)
from facecloak_train.settings import AttackSettings, FitSettings
from facecloak_train.settings.shared import Hardening


def test_every_option_of_every_command_is_explained(capsys):
    commands = {(name,): kind for name, (kind, _) in COMMANDS.items()}
    for group, (_, kinds) in GROUPS.items():
        commands |= {(group, name): kind for name, (kind, _) in kinds.items()}
    assert ("prepare", "casme2") in commands
    for words, kind in commands.items():
        with pytest.raises(SystemExit) as stop:
            main([*words, "--help"])
        assert stop.value.code == 0
        said = capsys.readouterr().out
        for field, text in field_docs(kind).items():
            if field not in (
                "jitter",
                "hardening",
                "training",
                "beat",
                "what",
            ):  # groups of options
                assert f"--{field.replace('_', '-')}" in said
                assert " ".join(text.split())[:20] in " ".join(said.split())
        assert set(field_docs(kind)) == set(kind.__dataclass_fields__)


def test_prepare_lists_its_datasets_and_wants_one(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert set(PREPARE) == {"fer2013", "casme", "casme2", "casme-squared", "smic"}
    assert set(PREPARE) <= set(said.split())
    for wrong in ([], ["casme9", "--source", "x", "--out", "y"]):
        with pytest.raises(SystemExit) as stop:
            main(["prepare", *wrong])
        assert stop.value.code == 2


def test_what_is_not_given_keeps_its_default(tmp_path):
    made = build(
        AttackSettings,
        {
            "data": tmp_path,
            "victims": [tmp_path],
            "out": tmp_path,
            "eps": 4.0,
            "jitter_shift": 0.5,
        },
    )
    usual = AttackSettings(data=tmp_path, victims=(tmp_path,), out=tmp_path)
    assert made.victims == (tmp_path,)
    assert made.unseen == ()
    assert made.eps == 4.0
    assert made.jitter.shift == 0.5
    assert made.jitter.scale == usual.jitter.scale
    assert made.cells == usual.cells


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--data", "x", "--out", "y", "--nonsense", "1"])
    assert stop.value.code == 2
    assert "--nonsense" in capsys.readouterr().err
    assert FitSettings.__doc__


@pytest.mark.parametrize(
    ("command", "defaults"),
    [
        ("attack", {"--jitter-rotation-deg": "3.0", "--jitter-flip": "False", "--eps": "8.0"}),
        ("fit", {"--jitter-rotation-deg": "12.0", "--jitter-flip": "True", "--net": "vgg19"}),
    ],
)
def test_help_tells_the_defaults_that_a_command_has(command, defaults):
    parser = argparse.ArgumentParser()
    cli.add_options(parser, COMMANDS[command][0])
    helps = {action.option_strings[0]: action.help for action in parser._actions}
    for flag, default in defaults.items():
        assert helps[flag].endswith(f"(default: {default})")


def test_help_names_every_network_and_every_attack():
    assert all(name in field_docs(FitSettings)["net"] for name in nets.NETS)
    assert all(name in field_docs(Hardening)["attack"] for name in hardening.ATTACKS)


@pytest.mark.parametrize(
    ("words", "how"),
    [
        (["fit", "--data", "x", "--out", "y"], "goes on where it was"),
        (["describe", "--data", "x", "--out", "y"], "begins anew"),
        (["prepare", "fer2013", "--source", "x", "--out", "y"], "begins anew"),
    ],
)
def test_ctrl_c_says_what_the_same_command_does(words, how, monkeypatch, caplog):
    def stopped(_chosen):
        raise KeyboardInterrupt

    table = PREPARE if words[0] == "prepare" else COMMANDS
    name = words[1] if words[0] == "prepare" else words[0]
    monkeypatch.setitem(table, name, (table[name][0], stopped))
    with caplog.at_level("INFO"):
        assert main(words) == 130
    assert f"stopped; the same command {how}" in caplog.text
    assert set(COMMANDS) > RESUMED


def test_each_table_says_what_it_holds(capsys):
    with pytest.raises(SystemExit):
        main(["table", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert set(ABOUT_TABLES) == set(TABLES)
    assert len(set(ABOUT_TABLES.values())) == len(ABOUT_TABLES)
    for line in ABOUT_TABLES.values():
        assert line in said


@pytest.mark.warns_in_log
def test_a_file_that_is_not_there_is_named_without_a_number(tmp_path, caplog):
    missing, out = tmp_path / "faces.npz", str(tmp_path / "run")
    assert main(["synthesize", "--data", str(missing), "--out", out]) == 4
    assert f"{missing}: No such file or directory; check the name" in caplog.text
    assert main(["fit", "--data", str(missing), "--out", out]) != 0
    assert f"{missing}: there is no such file; make it by `facecloak-train prep" in caplog.text
    assert "Errno" not in caplog.text
