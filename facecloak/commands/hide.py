"""``facecloak hide``: what a key of the desktop can run where no program may listen to all keys."""

from facecloak.core.errors import ConfigError
from facecloak.ui import only_one


def hide() -> None:
    """Hide the user of the window or tray that runs, or show him again.

    Raises:
        ConfigError: none runs.
    """
    if not only_one.call(only_one.place(), only_one.HIDE):
        msg = "No window or tray of FaceCloak runs, so there is nothing to hide."
        raise ConfigError(msg, "Start it: facecloak")
