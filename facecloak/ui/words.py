"""The user interface's language: English in the code, others beside it as Qt's .ts files."""

import locale
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from PyQt5.QtCore import QCoreApplication, QLocale, QTranslator

CONTEXT: Final = "FaceCloak"
FOLDER: Final = Path(__file__).with_name("translations")


def say(text: str) -> str:
    """The text in the language of the application."""
    return QCoreApplication.translate(CONTEXT, text)


class TsTranslator(QTranslator):
    """Translates by a .ts file as it is: no compiled copy that could be forgotten.

    Args:
        file: as ``pylupdate5`` and Qt Linguist write it.
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

    def translate(  # noqa: D102 - Qt's
        self, context: str | None, text: str | None, _comment: str | None = None, _n: int = -1
    ) -> str:
        return self.words.get((context or "", text or ""), "") or (text or "")

    def isEmpty(self) -> bool:  # noqa: N802, D102 - Qt's
        return not self.words


def translator(language: str) -> TsTranslator | None:
    """The one for ``language``, a code or ``auto`` for that of the desktop; None for English."""
    if language == "auto":
        language = QLocale.system().name() or locale.getlocale()[0] or "en"
    file = FOLDER / f"{language[:2]}.ts"
    return TsTranslator(file) if file.is_file() else None
