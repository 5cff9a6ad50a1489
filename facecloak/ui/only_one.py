"""One FaceCloak for each user: whoever starts another one calls the first."""

import getpass
from collections.abc import Callable
from typing import Final

from PyQt5.QtNetwork import QLocalServer, QLocalSocket

OPEN: Final = b"open"
"""Open the window."""
HIDE: Final = b"hide"
"""Hide the user, or show him again."""
_CALL_MS: Final = 500


def place() -> str:
    """Where this user's programs meet."""
    return f"facecloak-{getpass.getuser()}"


def call(name: str, wish: bytes) -> bool:
    """Tell the one that runs a wish, ``OPEN`` or ``HIDE``; False when none runs."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_CALL_MS):
        return False
    socket.write(wish)
    socket.waitForBytesWritten(_CALL_MS)
    socket.disconnectFromServer()
    return True


class OnlyOne:
    """Lets one FaceCloak of a user run.

    Args:
        name: of the meeting place; the same for all.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._server = QLocalServer()

    def first(self, called: Callable[[bytes], None]) -> bool:
        """Whether this is the first; ``called`` is called with the wishes of later ones."""
        if call(self._name, OPEN):
            return False
        QLocalServer.removeServer(self._name)  # left behind by one that was killed
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(lambda: self._hear(called))
        return self._server.listen(self._name)

    def close(self) -> None:
        """Let another be the first."""
        self._server.close()

    def _hear(self, called: Callable[[bytes], None]) -> None:
        socket = self._server.nextPendingConnection()
        if socket is None:
            return

        def over() -> None:
            wish = bytes(socket.readAll())
            socket.deleteLater()
            called(wish)

        if socket.state() == QLocalSocket.LocalSocketState.UnconnectedState:
            over()  # it said all that it had to say before it was heard
        else:
            socket.disconnected.connect(over)
