"""A machine for ``facecloak doctor`` that has nothing yet, and one where all is well."""

import platform
import sys

import pytest

from facecloak import settings
from facecloak.commands import doctor as clinic
from facecloak.settings import Settings
from tests.fakes.linux_machine import WEBCAM, camera_that, has_driver, has_label, listed


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "config_file", lambda: tmp_path / "settings.toml")
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(settings.PREFIX + name.upper(), raising=False)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The root of a Linux machine that has nothing yet."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    (tmp_path / "root/proc").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def healthy(root, monkeypatch):
    """A machine where all is well; the self-test, which has tests of its own, is left out."""
    if sys.platform != "linux":
        pytest.skip("speaks of /proc")
    has_driver(root)
    has_label(root)
    listed(monkeypatch, WEBCAM)
    camera_that(monkeypatch, gives=(1280, 720))
    monkeypatch.setattr(clinic, "self_test", lambda _machine: iter(()))

    def examine(file=root / "none.toml", **environment):
        return list(clinic.doctor({}, environment, file, root=root))

    return examine
