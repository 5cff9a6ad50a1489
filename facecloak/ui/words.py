"""The user interface's language: English in the code, others beside it as Qt's .ts files.

A .ts file has three contexts: ``FaceCloak``, the texts of the interface; ``Errors``, the sentences
of errors, which come from below and know nothing of Qt, with blanks ``{0}``, ``{1}`` where they
name a file or a number; and ``System``, what the operating system says in such a blank.
"""

import locale
import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from PyQt5.QtCore import QCoreApplication, QLocale, QTranslator

CONTEXT: Final = "FaceCloak"
ERRORS: Final = "Errors"
SYSTEM: Final = "System"
_BLANK: Final = re.compile(r"{\d}")
FOLDER: Final = Path(__file__).with_name("translations")


def say(text: str) -> str:
    """The text in the language of the application."""
    return QCoreApplication.translate(CONTEXT, text)


class TsTranslator(QTranslator):
    """Translates by a .ts file as it is: no compiled copy that could be forgotten.

    What is no text of the context asked for is looked for among the sentences of errors.

    Args:
        file: as Qt Linguist writes it.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        root = ET.parse(file).getroot()  # noqa: S314 - our own file
        self.words = {
            (context.findtext("name", ""), message.findtext("source", "")): message.findtext(
                "translation", ""
            )
            for context in root.iter("context")
            for message in context.iter("message")
        }
        errors = [text for (context, text) in self.words if context == ERRORS]
        errors.sort(key=_letters, reverse=True)  # that which leaves least to its blanks is meant
        self._errors = [(_pattern(text), self.words[ERRORS, text]) for text in errors]

    def translate(  # noqa: D102 - Qt's
        self, context: str | None, text: str | None, _comment: str | None = None, _n: int = -1
    ) -> str:
        text = text or ""
        return self.words.get((context or "", text)) or self._error(text) or text

    def _error(self, text: str) -> str | None:
        """The sentence of an error with the values that stand in ``text``; None if it is none."""
        for pattern, translated in self._errors:
            if found := pattern.fullmatch(text):
                values = (self.words.get((SYSTEM, value), value) for value in found.groups())
                return translated.format(*values)
        return None

    def isEmpty(self) -> bool:  # noqa: N802, D102 - Qt's
        return not self.words


def _letters(sentence: str) -> int:
    return len(_BLANK.sub("", sentence))


def _pattern(sentence: str) -> re.Pattern[str]:
    """What finds the values in a sentence whose blanks are filled in."""
    return re.compile("(.+)".join(map(re.escape, _BLANK.split(sentence))), re.DOTALL)


def translator(language: str) -> TsTranslator | None:
    """The one for ``language``, a code or ``auto`` for that of the desktop; None for English."""
    if language == "auto":
        language = QLocale.system().name() or locale.getlocale()[0] or "en"
    file = FOLDER / f"{language[:2]}.ts"
    return TsTranslator(file) if file.is_file() else None
