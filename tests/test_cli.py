"""What a user types, and the sentence and exit code that come back."""

import os
import subprocess
import sys

import pytest

from facecloak import __version__, cli, settings
from facecloak.core.errors import ArtifactError, SourceLost
from facecloak.options import parser

pytestmark = pytest.mark.warns_in_log  # errors are told through the log


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "config_file", lambda: tmp_path / "settings.toml")
    for name in settings.Settings.__dataclass_fields__:
        monkeypatch.delenv(settings.PREFIX + name.upper(), raising=False)


def replace_command(monkeypatch, command):
    monkeypatch.setitem(cli.COMMANDS, "demo", command)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["camera"], "arguments are required: DEED. See: facecloak camera --help"),
        (["dance"], "invalid choice: 'dance'"),
        (["run", "--nonsense"], "Unrecognized arguments: --nonsense. See: facecloak --help"),
        (["protect", "in.mp4"], "arguments are required: OUT. See: facecloak protect --help"),
        (["run", "--seconds", "long"], "invalid float value: 'long'. See: facecloak run --help"),
        (["run", "--seconds", "0"], "--seconds 0 is not a positive number of seconds."),
        (["demo", "--seconds", "nan"], "--seconds nan is not a positive number of seconds."),
        (["bench", "--seconds", "inf"], "--seconds inf is not a positive number of seconds."),
        (["run", "--strength", "abc"], "the options: strength must be a number, got 'abc'."),
        (["run", "--device", "tpu", "--fps", "x"], "device must be one of auto, cpu, cuda"),
        (["run", "--empty-room", "raw"], "empty_room must be one of shield, pass"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_2(capfd, arguments, said):
    assert cli.main(arguments) == 2
    out, err = capfd.readouterr()
    assert said in err
    assert err.startswith("facecloak: ")
    assert err.count("\n") == 1
    assert not out


def test_options_overrule_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FACECLOAK_STRENGTH", "0.5")
    monkeypatch.setenv("FACECLOAK_DEVICE", "cpu")
    (tmp_path / "settings.toml").write_text('device = "cuda"\nunfooled = "shield"\n')
    parsed = parser(cli.COMMANDS).parse_args(["run", "--strength", "0.7"])
    made = cli._settings(parsed)
    assert (made.strength, made.device, made.unfooled) == (0.7, "cpu", "shield")


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (
            SourceLost("The camera stopped.", "Reconnect it."),
            3,
            "The camera stopped. Reconnect it.",
        ),
        (ArtifactError("It is broken.", "Reinstall."), 4, "It is broken. Reinstall."),
        (KeyboardInterrupt(), 130, "stopped"),
        (
            KeyError("secret"),
            1,
            "an error of FaceCloak itself (KeyError); run it again with --debug",
        ),
    ],
)
def test_an_error_becomes_its_exit_code(monkeypatch, capfd, raised, code, said):
    def fail(_parsed):
        raise raised

    replace_command(monkeypatch, fail)
    assert cli.main(["demo"]) == code
    assert capfd.readouterr().err == f"facecloak: {said}\n"


@pytest.mark.parametrize("arguments", [["--debug", "demo"], ["demo", "--debug"]])
def test_debug_shows_where_an_error_came_from_and_what_libraries_say(monkeypatch, capfd, arguments):
    def fail(_parsed):
        os.write(2, b"libpng error\n")
        raise KeyError

    replace_command(monkeypatch, fail)
    assert cli.main(arguments) == 1
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert "libpng error" in said


def test_what_libraries_print_is_dropped_and_standard_error_given_back(monkeypatch, capfd):
    replace_command(monkeypatch, lambda _parsed: os.write(2, b"W0000 NORM_RECT\n"))
    assert cli.main(["demo"]) == 0
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def run(*arguments, **options):
    command = [sys.executable, "-m", "facecloak", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, **options
    )


def test_version_and_help_need_no_models():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"facecloak {__version__}\n")
    code = "import sys, facecloak.cli as c; c.parser(c.COMMANDS); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    ).stdout.split()
    assert not {"mediapipe", "cv2", "onnxruntime", "torch", "PyQt5"} & set(loaded)


def test_every_command_explains_its_options(capsys):
    for command in ("run", "protect", "demo", "bench", "calibrate"):
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        assert stop.value.code == 0
        said = capsys.readouterr().out
        assert "--strength" in said
        assert "--device" in said


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("shell", "code"),
    [("run --nonsense 2>&-", 2), ("--help | head -c 1; exit ${PIPESTATUS[0]}", 0)],
)
def test_nobody_needs_to_listen(shell, code):
    command = f'"{sys.executable}" -m facecloak {shell}'
    done = subprocess.run(
        ["/bin/bash", "-c", command], capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (code, b"")
