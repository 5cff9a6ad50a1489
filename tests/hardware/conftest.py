"""What the hardware tests share: the guest, the film of a face, and a place for their figures."""

import json
import os
import shutil
from pathlib import Path

import pytest

from facecloak.sink.loopback import LABEL
from tests.hardware import portrait
from tests.hardware.guest import FOLDER_VARIABLE, Guest


@pytest.fixture(scope="session")
def guest():
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        pytest.skip(f"{FOLDER_VARIABLE} names no Linux guest with camera drivers")
    for needed in ("busybox", "modprobe"):
        if shutil.which(needed, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"the guest needs {needed}")
    return Guest(Path(folder).resolve())


@pytest.fixture(scope="session")
def film(request):
    """The demo portrait as a webcam would send it, I420; 640x480 unless a test asks otherwise."""
    return portrait.film(size=getattr(request, "param", portrait.SMALL))


@pytest.fixture(scope="session")
def two_loopbacks():
    """What loads a webcam, /dev/video9, that a program can play into, and the virtual camera."""
    labels = f'card_label="Integrated Camera,{LABEL}"'
    numbers = ["devices=2", "video_nr=9,10", "exclusive_caps=1,1"]
    return ["modprobe", "v4l2loopback", *numbers, labels]


@pytest.fixture
def tell(record_property, request):
    """Puts figures into the report, and on the terminal with ``-s`` or ``-rP``."""

    def put(figures):
        record_property("figures", json.dumps(figures))
        print(request.node.name, json.dumps(figures, indent=1))  # noqa: T201

    return put
