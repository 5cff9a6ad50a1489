"""Makes out of the frames that go by what there is to see."""

import statistics
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from facecloak.cloak.opencv_cloak import face_box
from facecloak.cloak.selector import Mix, told
from facecloak.core.clock import Clock, monotonic
from facecloak.core.stats import StageTimes
from facecloak.core.types import Face, Frame, Output, Verdict
from facecloak.pipeline.protector import Protected
from facecloak.session.moment import Meter, Status
from facecloak.verify.visibility import psnr

Displaced = Callable[[Frame, Sequence[Face]], Frame]
Mixes = Callable[[Frame, Sequence[Face]], Sequence[Mix]]

METER_S: Final = 10.0
"""How long a reading counts, in seconds."""
_RATE_S: Final = 2.0
_SLOW_S: Final = 0.5
"""How often what costs time is measured anew, in seconds, in the thread that asks."""
_RECENT: Final = 60
"""Over how many of the newest frames the delay is the median."""

_STATUS: Final = {
    Output.CLOAKED: Status.PROTECTED,
    Output.HELD: Status.PROTECTED,
    Output.UNTOUCHED: Status.PROTECTED,
    Output.SHIELD: Status.SHIELDED,
    Output.OFF: Status.OFF,
}


class Recorder:
    """Sees every frame in the run's thread; any other thread may ask for what there is to see.

    Args:
        clock: what times are told by, in seconds.

    Attributes:
        visible: whether somebody looks at pictures, so that they are kept and measured.
        displaced: the frame with its faces moved and nothing added, by the cloak of the moment.
    """

    def __init__(self, clock: Clock = monotonic) -> None:
        self.visible = False
        self.displaced: Displaced = _as_captured
        self._mixes: Mixes | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._sent_s: deque[float] = deque(maxlen=512)
        self._heard: deque[tuple[float, Verdict]] = deque(maxlen=4096)
        self._seen: dict[str, Any] = {}
        self._slow_at_s = float("-inf")
        self._newest: tuple[Frame | None, Protected, StageTimes] | None = None

    def follow(self, displaced: Displaced, mixes: Mixes | None) -> None:
        """Ask another cloak from now on.

        Args:
            displaced: as the attribute.
            mixes: the shares of its members that each face of a frame gets, by label; None where
                it has one member only.
        """
        self.displaced, self._mixes = displaced, mixes

    def see(self, clean: Frame | None, protected: Protected, times: StageTimes) -> None:
        """Take one frame: the picture as captured, None for a stand-in, and what went out."""
        now_s = self._clock()
        waiting = clean is None and protected.output is Output.SHIELD
        seen: dict[str, Any] = {
            "status": Status.WAITING if waiting else _STATUS[protected.output],
            "faces": len(protected.faces.found),
            "members": (),
            "clean": None,
            "sent": None,
        }
        if self._mixes is not None and clean is not None and protected.output is Output.CLOAKED:
            seen["members"] = _members(self._mixes(clean, protected.faces.found))
        if self.visible:
            seen |= {"clean": clean and clean.image, "sent": protected.frame.image}
        with self._lock:
            self._newest = (clean, protected, times)
            self._sent_s.append(now_s)
            self._heard.extend((now_s, verdict) for verdict in protected.verdicts)
            self._seen |= seen

    def forget(self) -> None:
        """Begin anew, as at the start."""
        with self._lock:
            self._sent_s.clear()
            self._heard.clear()
            self._seen.clear()
            self._newest = None

    def forget_readings(self) -> None:
        """Begin the meters anew, as after a change of the cloak."""
        with self._lock:
            self._heard.clear()

    def seen(self) -> dict[str, Any]:
        """Fields of a ``Moment``, as far as frames tell them."""
        now_s = self._clock()
        with self._lock:
            while self._sent_s and now_s - self._sent_s[0] > _RATE_S:
                self._sent_s.popleft()
            while self._heard and now_s - self._heard[0][0] > METER_S:
                self._heard.popleft()
            sent_s, heard = list(self._sent_s), list(self._heard)
            newest = self._newest if now_s - self._slow_at_s >= _SLOW_S and self.visible else None
        measured = {}
        if newest is not None:
            self._slow_at_s = now_s
            measured = _measured(*newest, self.displaced)
        with self._lock:
            if self._seen:  # nothing was forgotten meanwhile
                self._seen |= measured
            seen = dict(self._seen)
        elapsed_s = sent_s[-1] - sent_s[0] if len(sent_s) > 1 else 0.0
        fps = (len(sent_s) - 1) / elapsed_s if elapsed_s > 0 else 0.0
        return seen | {"fps": fps, "meters": _meters([verdict for _, verdict in heard])}


def _meters(verdicts: list[Verdict]) -> tuple[Meter, ...]:
    by_name: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_name.setdefault(verdict.classifier, []).append(verdict)
    return tuple(
        Meter(name, len(all_), sum(v.fooled for v in all_), all_[-1].clean, all_[-1].cloaked)
        for name, all_ in by_name.items()
    )


def _members(mixes: Sequence[Mix]) -> tuple[str, ...]:
    """The label with the largest share in each mix."""
    return tuple(told(max(mix, key=lambda label: mix[label])) for mix in mixes)


def _measured(
    clean: Frame | None, protected: Protected, times: StageTimes, displaced: Displaced
) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    added_s = times.recent("added", _RECENT)
    if added_s:
        measured["added_ms"] = 1000 * statistics.median(added_s)
    if clean is not None and protected.output is Output.CLOAKED:
        found = protected.faces.found
        moved = displaced(clean, found)
        measured["psnr_db"] = min(_face_psnr(moved, protected.frame, face) for face in found)
    return measured


def _as_captured(frame: Frame, _faces: Sequence[Face]) -> Frame:
    return frame


def _face_psnr(moved: Frame, sent: Frame, face: Face) -> float:
    """Of what was added to one face, in dB; infinite where it is out of the picture."""
    height, width = moved.image.shape[:2]
    left, top, right, bottom = face_box(face.face_from_frame, width, height)
    box = (slice(top, bottom), slice(left, right))
    if not moved.image[box].size:
        return float("inf")
    return psnr(moved.image[box], sent.image[box])
