"""What there is to see of a session at one time."""

import enum
from dataclasses import dataclass, field

from facecloak.core.errors import FaceCloakError
from facecloak.core.types import Image, Reading


class Status(enum.Enum):
    """What the call sees, in one word."""

    PROTECTED = "protected"
    """The picture with every face cloaked, or a room without anyone."""
    SHIELDED = "shielded"
    """The slate, because the picture could not be proven safe."""
    OFF = "off"
    """The picture as captured: the user switched protection off."""
    WAITING = "waiting"
    """The slate, because no picture is wanted or the session starts."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What one classifier made of the faces in the last seconds.

    Attributes:
        classifier: its name.
        judged: how many readings there were.
        fooled: how many of them name another class than before the cloak.
        clean: its newest reading of a face as captured.
        cloaked: its newest reading of the same face as sent.
    """

    classifier: str
    judged: int
    fooled: int
    clean: Reading
    cloaked: Reading

    @property
    def share(self) -> float:
        """Share of readings that were fooled, in ``[0, 1]``."""
        return self.fooled / self.judged


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """A session at one time; pictures only while they are wanted.

    Attributes:
        status: what the call sees.
        protecting: whether protection is on; where it is not, the next picture that comes is shown
            as captured.
        hidden: whether the user hides: the camera is off.
        faces: how many faces are in the picture.
        clean: the newest picture as captured.
        sent: what went out for it.
        meters: one for each classifier that judged in the last seconds.
        fps: frames that went out per second.
        added_ms: by how much a frame is delayed, the median; None before the first.
        psnr_db: of the most that was added to a face, which may have been moved before; None before
            the first.
        strength: factor on the perturbation now.
        perturbation: its name now.
        members: the label that the member of each face answers, where there are several members.
        raised: whether both were chosen by the session, because a classifier read the face.
        exhausted: whether a classifier reads the face and nothing stronger is allowed.
        problems: what keeps pictures from coming in or going out.
    """

    status: Status = Status.WAITING
    protecting: bool = True
    hidden: bool = False
    faces: int = 0
    clean: Image | None = None
    sent: Image | None = None
    meters: tuple[Meter, ...] = ()
    fps: float = 0.0
    added_ms: float | None = None
    psnr_db: float | None = None
    strength: float = 0.0
    perturbation: str = ""
    members: tuple[str, ...] = ()
    raised: bool = False
    exhausted: bool = False
    problems: tuple[FaceCloakError, ...] = field(default=())
