"""Every text of the interface and every error has its German, with the same blanks and keys."""

import ast
import errno
import os
import re
import sys
from pathlib import Path

import pytest

import facecloak
from facecloak.capture.camera import camera_unavailable
from facecloak.core import artifacts
from facecloak.core.errors import FaceCloakError
from facecloak.sink.draft import cannot_write
from facecloak.ui import words
from facecloak.verify.onnx_judge import OnnxClassifier
from tests.ui import sentences

PACKAGE, UI = Path(facecloak.__file__).parent, Path(words.__file__).parent
TERMINAL = {"cli.py", "options.py", "__main__.py", "commands", "calibrate"}
"""What speaks on the terminal only, and English there."""
WINDOW = PACKAGE / "commands" / "window.py"
NOT_IN_THE_WINDOW = {
    # The frame is shielded, and nothing is said.
    "The landmarks of the face coincide or are not finite.",
    "The transform of the face cannot be inverted.",
    # Before a window can open.
    "There is no display to open a window on.",
    "Run it on a desktop, or without one: facecloak run --sink out.mp4",
    "MediaPipe's face solutions cannot be imported ({0}).",
    # Of files that are protected from their first picture to the last, and of lossless ones.
    "The file gave no picture for {0} s.",
    "Check that it is complete and that its disk can be read.",
    "The demo lasts a positive number of seconds, got {0}.",
    "{0} cannot be lossless.",
    "Name it with .mkv.",
    # Of callers that a session is none of.
    "{0} reads {1}, not {2}.",
    "Take a classifier of {0}.",
}


def texts():
    found = set()
    for file in UI.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    found.add(argument.value)
    return found


def errors():
    """What errors say in the packages that a session uses; not what they pass on of others."""
    files = [
        file
        for file in PACKAGE.rglob("*.py")
        if file.relative_to(PACKAGE).parts[0] not in TERMINAL or file == WINDOW
    ]
    found = set().union(*map(sentences.of_file, files))
    return {text for text in found if re.search("[a-z]", text)}


def of(context):
    """Sources and translations of a context."""
    every = words.translator("de").words
    return {source: text for (its, source), text in every.items() if its == context}


@pytest.fixture(scope="module")
def german():
    return of(words.CONTEXT)


def test_every_text_is_translated_and_none_is_left_over(german):
    labels = {
        label for path in artifacts.models() for label in OnnxClassifier(path, "cpu").card.labels
    }
    assert set(german) == texts() | labels
    assert all(german.values())


def test_every_error_of_a_session_is_translated_or_known_not_to_be_shown():
    translated = of(words.ERRORS)
    assert not set(translated) & NOT_IN_THE_WINDOW
    assert set(translated) | NOT_IN_THE_WINDOW == errors()
    assert all(translated.values())


def test_the_source_is_read_as_it_is_meant(tmp_path):
    file = tmp_path / "some.py"
    file.write_text(
        """
_REMEDY = "Look at it."
def one(path, kind, why):
    msg = f"{path} is a {kind!r}."
    raise ConfigError(msg, _REMEDY)
def two(path):
    remedy = f"Take {1 + len(path)}."
    if path:
        msg = "Not a sentence of an error"
        raise ValueError(msg)
        remedy = "Or " + _REMEDY
    how = "gone" if path else "empty"
    msg = f"It is {how}."
    return SourceLost(msg, remedy)
def three(exc):
    with made_later(DeviceError, f"{exc.name:s} failed.", f"{exc}"):
        pass
"""
    )
    wanted = {"{0} is a {1}.", "Look at it.", "Take {0}.", "Or Look at it.", "It is gone."}
    assert sentences.of_file(file) == wanted | {"It is empty.", "{0} failed.", "{0}"}


def test_every_error_is_known_by_its_sentence_whatever_is_filled_in():
    translator = words.translator("de")
    values = ["/home/me/My files: new.mp4", "b 2", "3.5", "-"]
    for source, german in of(words.ERRORS).items():
        assert len(re.sub(r"{\d}", "", source)) >= 8, source
        said = translator.translate(words.CONTEXT, source.format(*values))
        assert said == german.format(*values), source


def test_real_errors_are_told_in_german(tmp_path):
    translator = words.translator("de")

    def told(error: FaceCloakError):
        return [translator.translate(words.CONTEXT, text) for text in (error.what, error.remedy)]

    if sys.platform == "linux":
        assert told(camera_unavailable(7, dev=tmp_path)) == [
            f"Es gibt keine Kamera {tmp_path}/video7.",
            f"Es gibt kein {tmp_path}/video*: Schließen Sie eine Kamera an.",
        ]
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    what, remedy = told(cannot_write(Path("a.mp4"), full))
    assert what == "a.mp4 kann nicht geschrieben werden: kein Platz mehr auf dem Datenträger."
    assert remedy.startswith("Schaffen Sie Platz")
    strange = FaceCloakError("No such sentence.", "")
    assert told(strange) == ["No such sentence.", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other sentences")
def test_what_the_system_says_is_what_linux_says():
    known = {os.strerror(number) for number in errno.errorcode}
    assert set(of(words.SYSTEM)) <= known


def test_translations_keep_the_blanks_to_fill_in():
    for (_, source), text in words.translator("de").words.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", source)), source
        assert ("&" in text) == ("&" in source), source


def test_english_needs_no_translator_and_german_has_one():
    assert words.translator("en") is None
    german = words.translator("de")
    assert german.translate("FaceCloak", "Protected") == "Geschützt"
    assert german.translate("FaceCloak", "unknown") == "unknown"
    assert not german.isEmpty()


def test_the_language_of_the_desktop_is_taken(monkeypatch):
    class German:
        @staticmethod
        def name():
            return "de_AT"

    monkeypatch.setattr(words.QLocale, "system", staticmethod(German))
    assert words.translator("auto") is not None
