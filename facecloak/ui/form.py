"""What a user steers in the window, each a labelled widget; a change is one new ``Settings``."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from PyQt5.QtCore import QSignalBlocker, Qt
from PyQt5.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QSlider, QWidget

from facecloak.core.perturbation import Header
from facecloak.settings import Settings
from facecloak.ui.words import say

SIZES: Final = ((640, 480), (1280, 720), (1920, 1080))
Choice = tuple[str, dict[str, Any]]
"""What is shown, and the settings that it stands for."""


class Form(QWidget):
    """Shows settings and calls back with new ones.

    Args:
        settings: to begin with.
        perturbations: to choose from, by name; None where what they promise is not known.
        changed: called with the new settings after each change by the user.
    """

    def __init__(
        self,
        settings: Settings,
        perturbations: Mapping[str, Header | None],
        changed: Callable[[Settings], None],
    ) -> None:
        super().__init__()
        self._settings = settings
        self._perturbations = perturbations
        self._changed = changed
        self._choices: dict[QComboBox, list[dict[str, Any]]] = {}
        rows = QFormLayout(self)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)

        self.strength_text = QLabel()
        self.strength = QSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(25, 200)
        self.strength.setSingleStep(5)
        self.strength.setPageStep(25)
        self.strength.valueChanged.connect(self._slid)
        self._row(rows, say("&Strength"), self.strength)
        rows.addRow("", self.strength_text)

        self.camera = self._combo(rows, say("&Camera"), [])
        self.resolution = self._combo(
            rows,
            say("&Resolution"),
            [(f"{w} × {h}", {"width": w, "height": h}) for w, h in SIZES],  # noqa: RUF001
        )
        self.perturbation = self._combo(
            rows, say("Pert&urbation"), [(name, {"perturbation": name}) for name in perturbations]
        )
        self.empty_room = self._combo(
            rows,
            say("When &nobody is there"),
            [
                (say("show the still picture"), {"empty_room": "shield"}),
                (say("show the room"), {"empty_room": "pass"}),
            ],
        )
        self.unfooled = self._combo(
            rows,
            say("When a classifier still re&ads the face"),
            [
                (say("tell me"), {"unfooled": "tell"}),
                (say("show the still picture"), {"unfooled": "shield"}),
            ],
        )
        self.start_in = self._combo(
            rows,
            say("S&tart in"),
            [
                (say("the window"), {"start_in": "window"}),
                (say("the tray only"), {"start_in": "tray"}),
            ],
        )
        self.language = self._combo(
            rows,
            say("&Language (from the next start)"),
            [
                (say("of the desktop"), {"language": "auto"}),
                ("English", {"language": "en"}),
                ("Deutsch", {"language": "de"}),
            ],
        )
        self.show_cameras([])
        self.show_settings(settings)

    def show_settings(self, settings: Settings) -> None:
        """Show settings that came from elsewhere; calls nothing back."""
        self._settings = settings
        with QSignalBlocker(self.strength):
            self.strength.setValue(round(100 * settings.strength))
        self._tell_strength()
        for combo in self._choices:
            self._select(combo)

    def show_cameras(self, cameras: Sequence[tuple[str, str]]) -> None:
        """Offer these cameras, each a title and what ``Settings.source`` calls it."""
        choices = [(title, {"source": source}) for title, source in cameras]
        choices.append((say("the demo portrait"), {"source": "demo"}))
        self._fill(self.camera, choices)

    def _combo(self, rows: QFormLayout, label: str, choices: Sequence[Choice]) -> QComboBox:
        combo = QComboBox()
        combo.setMinimumContentsLength(12)
        combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fill(combo, choices)
        combo.activated.connect(lambda index: self._chosen(combo, index))
        self._row(rows, label, combo)
        return combo

    def _fill(self, combo: QComboBox, choices: Sequence[Choice]) -> None:
        with QSignalBlocker(combo):
            combo.clear()
            self._choices[combo] = [fields for _, fields in choices]
            combo.addItems([title for title, _ in choices])
        self._select(combo)

    def _select(self, combo: QComboBox) -> None:
        """Show the chosen entry; where the settings name none of them, add one that says so."""
        fields = self._choices[combo]
        wanted = dataclasses.asdict(self._settings)
        if not fields:
            return
        fitting = (n for n, values in enumerate(fields) if values.items() <= wanted.items())
        index = next(fitting, len(fields))
        if index == len(fields):
            fields.append({name: wanted[name] for name in fields[0]})
            combo.addItem(" x ".join(str(value) for value in fields[index].values()))
        with QSignalBlocker(combo):
            combo.setCurrentIndex(index)

    def _row(self, rows: QFormLayout, label: str, field: QWidget) -> None:
        text = QLabel(label)
        text.setBuddy(field)
        field.setAccessibleName(label.replace("&", ""))
        rows.addRow(text, field)

    def _chosen(self, combo: QComboBox, index: int) -> None:
        self._apply(self._choices[combo][index])
        self._tell_strength()

    def _slid(self, value: int) -> None:
        self._apply({"strength": value / 100})
        self._tell_strength()

    def _tell_strength(self) -> None:
        strength = self._settings.strength
        header = self._perturbations.get(self._settings.perturbation)
        told = say("{strength} of the designed perturbation").format(strength=f"{strength:.2f}")
        if header is not None:
            levels = say("at most {levels} of 255 levels")
            told += ":\n" + levels.format(levels=header.levels(strength))
            if header.shift:
                width = say("{percent} % of the face's width")
                told += ",\n" + width.format(percent=f"{100 * header.shift * strength:.2g}")
        self.strength_text.setText(told)

    def _apply(self, fields: dict[str, Any]) -> None:
        self._settings = dataclasses.replace(self._settings, **fields)
        self._changed(self._settings)
