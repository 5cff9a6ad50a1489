"""Headless Chromium on a page that uses a camera: what it lists, and the pictures that it shows."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import cv2
import numpy as np

PAGE = Path(__file__).with_name("call.html")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
    *("--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection"),
    "--autoplay-policy=no-user-gesture-required",
)
FEW_PROCESSES = ("--in-process-gpu", "--no-zygote", "--renderer-process-limit=1")
"""For a machine with one slow processor."""


def program() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium")


@dataclass
class Visit:
    """What a page said at its end, and the pictures it showed, as PNG.

    Attributes:
        told: nothing when it did not come to its end.
        log: what Chromium itself said.
    """

    told: dict = field(default_factory=dict)
    pngs: list[bytes] = field(default_factory=list)
    log: str = ""

    def pictures(self):
        """The pictures, BGR."""
        return [cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) for png in self.pngs]


def visit(*flags: str, limit_s: float, **query: object) -> Visit:
    """Open the page with ``query`` and wait for its end."""
    visited, over = Visit(), threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.read_bytes())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/picture":
                visited.pngs.append(body)
            else:
                visited.told = json.loads(body)
                over.set()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        address = f"http://127.0.0.1:{server.server_port}/?{urlencode(query)}"
        try:
            visited.log = _open(address, flags, over, limit_s)
        finally:
            server.shutdown()
            serving.join()
    return visited


def _open(address: str, flags: tuple[str, ...], over: threading.Event, limit_s: float) -> str:
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        with log.open("w") as stderr:
            chromium = subprocess.Popen(
                [program(), *_FLAGS, *flags, f"--user-data-dir={folder}/profile", address],
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            over.wait(limit_s)
        finally:
            os.killpg(chromium.pid, signal.SIGKILL)
            chromium.wait()
        return log.read_text(errors="replace")
