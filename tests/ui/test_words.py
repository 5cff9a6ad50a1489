"""Every text of the interface has its German, and no key is asked to do two things."""

import ast
import re
from pathlib import Path

import pytest

from facecloak.core import artifacts
from facecloak.ui import words
from facecloak.verify.onnx_judge import OnnxClassifier

UI = Path(words.__file__).parent


def texts():
    found = set()
    for file in UI.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    found.add(argument.value)
    return found


@pytest.fixture(scope="module")
def german():
    translator = words.translator("de")
    return {source: text for (_, source), text in translator.words.items()}


def test_every_text_is_translated_and_none_is_left_over(german):
    labels = {
        label for path in artifacts.models() for label in OnnxClassifier(path, "cpu").card.labels
    }
    assert set(german) == texts() | labels
    assert all(german.values())


def test_translations_keep_the_blanks_to_fill_in(german):
    for source, text in german.items():
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
