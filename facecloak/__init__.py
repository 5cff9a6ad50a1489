"""FaceCloak: a real-time privacy filter for video calls.

    capture --Frame--> face --Faces--> cloak --Frame--> guard (pipeline) --Frame--> sink
                                         '--clean + cloaked--> verify --Verdicts--> guard

Each arrow's value is a type of ``core.types``, each stage a protocol of ``core.ports``. Stages do
not know each other; ``app`` is the one place that puts them together.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("facecloak")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
