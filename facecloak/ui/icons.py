"""The tray's picture: a colour and a shape for each status, so that no colour has to be told."""

from typing import Final

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from facecloak.session.moment import Status

COLOURS: Final = {
    Status.PROTECTED: "#2e9e5b",
    Status.SHIELDED: "#d98e04",
    Status.OFF: "#c62828",
    Status.WAITING: "#7a8594",
}
_SIDE: Final = 64


def icon(status: Status) -> QIcon:
    """A shield; with a tick, two bars, a cross or a dot in it."""
    picture = QPixmap(_SIDE, _SIDE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(COLOURS[status]))
    outline = ((6, 10), (32, 3), (58, 10), (56, 38), (32, 61), (8, 38))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in outline]))
    painter.setPen(QPen(QColor("white"), 7, cap=Qt.PenCapStyle.RoundCap))
    strokes = {
        Status.PROTECTED: (((20, 30), (29, 40)), ((29, 40), (45, 20))),
        Status.SHIELDED: (((25, 20), (25, 40)), ((39, 20), (39, 40))),
        Status.OFF: (((22, 20), (42, 40)), ((42, 20), (22, 40))),
        Status.WAITING: (),
    }[status]
    for (x1, y1), (x2, y2) in strokes:
        painter.drawLine(QPointF(x1, y1), QPointF(x2, y2))
    if status is Status.WAITING:
        painter.drawEllipse(QRectF(29, 27, 6, 6))
    painter.end()
    return QIcon(picture)
