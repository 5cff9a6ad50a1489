"""Every error a caller may want to catch. The text is one sentence; ``remedy`` says what to do.

FaceCloakError
├── ConfigError            the options contradict each other or name nothing       exit 2
├── DeviceError            a camera, virtual camera, file or provider failed       exit 3
│   ├── SourceUnavailable  it cannot be opened: missing, busy, unreadable
│   ├── SourceLost         it worked, then stopped or turned to garbage
│   └── SinkUnavailable    no virtual camera driver, or the output cannot be written
│       └── SinkClosed     nobody watches any more (``sink.closed``; ends quietly)
├── ArtifactError          a model or a perturbation is not what its header says   exit 4
│   └── DigestMismatch     its bytes are not those on its card
└── DegenerateFace         landmarks that no transform can be fitted to   the frame is shielded
"""

from typing import ClassVar


class FaceCloakError(Exception):
    """Anything FaceCloak reports to its user.

    Args:
        what: one sentence that says what is wrong.
        remedy: one sentence that says what to do about it, or nothing.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy


class ConfigError(FaceCloakError):
    """The options contradict each other or name something that does not exist."""

    exit_code = 2


class DeviceError(FaceCloakError):
    """A camera, a virtual camera, a file or an execution provider failed."""

    exit_code = 3


class SourceUnavailable(DeviceError):
    """A source cannot be opened."""


class SourceLost(DeviceError):
    """A source worked and then stopped, or handed over garbage."""


class SinkUnavailable(DeviceError):
    """An output cannot be opened or written."""


class ArtifactError(FaceCloakError):
    """A model or perturbation file is not what its header says."""

    exit_code = 4


class DigestMismatch(ArtifactError):
    """The bytes of a file are not those on its card."""


class DegenerateFace(FaceCloakError):
    """Landmarks that no similarity transform can be fitted to."""
