import errno
import os
import platform
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.stages import ManualClock

if platform.system() != "Linux":
    pytest.skip("speaks of inotify and /proc", allow_module_level=True)

from facecloak.sink import watchers
from facecloak.sink.watchers import (
    APPEARS_S,
    LEAVES_S,
    LOOK_AGAIN_S,
    RECOUNT_S,
    CameraWatchers,
    Debounced,
    Watchers,
    programs,
)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=50))
def test_only_what_lasts_is_believed(seen):
    fact, now_s, since = Debounced(), 0.0, (False, 0.0)
    for state, pause_s in seen:
        now_s += pause_s
        since = since if since[0] == state else (state, now_s)
        before = fact.state
        fact.tell(state, now_s)
        lasted = now_s - since[1] >= (APPEARS_S if state else LEAVES_S)
        assert fact.state == (state if lasted else before)
        assert fact.undecided == (fact.state != state)


@pytest.fixture
def another_program(device):
    """Another process that has the device open until it is told otherwise."""
    code = "import sys; f = open(sys.argv[1]); print(); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    yield process
    process.communicate()


def test_another_program_counts_once_it_stays_and_until_it_has_gone(device, request):
    clock = ManualClock()
    with Watchers(device, clock=clock) as watched:
        assert not watched()
        program = request.getfixturevalue("another_program")
        clock.now_s += 0.2
        assert not watched()  # it may only be listing
        clock.now_s += 1.5 * APPEARS_S
        assert watched()
        program.communicate()
        clock.now_s += 0.2
        assert watched()  # it may only be changing its mind
        clock.now_s += 1.5 * LEAVES_S
        assert not watched()


def test_our_own_hold_on_it_does_not_count(device):
    clock = ManualClock()
    with Watchers(device, clock=clock) as watched, device.open():
        for _ in range(100):
            clock.now_s += 1
            assert not watched()


def test_programs_are_named_those_that_can_be_seen(device, another_program, tmp_path):
    (name,) = programs(device)
    assert name.endswith(f"({another_program.pid})")
    assert not name.startswith(("unknown", " "))
    opened = tmp_path / "proc/77/fd"
    opened.mkdir(parents=True)
    (opened / "3").symlink_to(device)
    assert programs(device, tmp_path / "proc") == ["unknown (77)"]
    (opened.parent / "comm").write_text("zoom\n")
    assert programs(device, tmp_path / "proc") == ["zoom (77)"]


def test_one_that_was_there_before_is_seen_without_any_event(device, another_program):
    clock = ManualClock()
    with Watchers(device, clock=clock) as watched:
        watched()
        clock.now_s += 1.5 * APPEARS_S
        assert watched()


def test_while_nothing_changes_nobody_is_counted(device, tmp_path):
    proc = tmp_path / "proc"
    clock = ManualClock()
    (proc / "1234567" / "fd").mkdir(parents=True)
    (proc / "1234567" / "fd" / "3").symlink_to("/somewhere/else")
    with Watchers(device, proc=proc, clock=clock) as watched:
        assert not watched()
        (proc / "1234567" / "fd" / "4").symlink_to(device)  # without an event
        clock.now_s += 1
        watched()
        clock.now_s += 1
        assert not watched()
        os.close(os.open(device, os.O_RDONLY))  # an event, of somebody
        watched()
        clock.now_s += 1.5 * APPEARS_S
        assert watched()


class NoInotify(watchers.INotify):
    """A kernel that refuses to watch the device."""

    made = None

    def __init__(self):
        super().__init__()
        NoInotify.made = self

    def add_watch(self, path, mask):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def no_more_instances():
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize("inotify", [NoInotify, no_more_instances])
def test_where_the_kernel_does_not_tell_they_are_counted_now_and_then(
    device, request, monkeypatch, inotify
):
    monkeypatch.setattr(watchers, "INotify", inotify)
    clock = ManualClock()
    with Watchers(device, clock=clock) as watched:
        assert not watched()
        request.getfixturevalue("another_program")
        clock.now_s += 1.1 * RECOUNT_S
        watched()
        clock.now_s += 1.5 * APPEARS_S
        assert watched()
    if inotify is NoInotify:
        assert NoInotify.made.closed


class Following:
    """In place of ``Watchers``: somebody watches while it is open."""

    def __init__(self, device):
        self.device, self.open = device, False

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *_exc):
        self.open = False

    def __call__(self):
        return self.open


def test_the_virtual_camera_is_looked_for_and_followed_wherever_it_goes(tmp_path):
    clock, where, made = ManualClock(), None, []
    one, other = tmp_path / "video9", tmp_path / "video10"
    one.touch()
    other.touch()

    def watch(device):
        made.append(Following(device))
        return made[-1]

    def followed():
        return [each.device for each in made if each.open]

    with CameraWatchers(lambda: where, clock=clock, watch=watch) as watched:
        for where in (None, one, other, None, other):
            clock.now_s += 1.1 * LOOK_AGAIN_S
            assert watched() == (where is not None)
            assert followed() == ([where] if where else [])
        clock.now_s += 1.1 * LOOK_AGAIN_S
        assert watched()
        assert len(made) == 3  # the same one is followed on
        other.unlink()
        clock.now_s += 1.1 * LOOK_AGAIN_S
        assert not watched()
    assert not followed()


def test_who_watches_a_camera_that_came_later_is_seen(device, another_program):
    clock, where = ManualClock(), None
    with CameraWatchers(lambda: where, clock=clock, watch=lambda at: Watchers(at, clock=clock)) as (
        watched
    ):
        assert not watched()
        where = device
        clock.now_s += 1.1 * LOOK_AGAIN_S
        assert not watched()
        clock.now_s += 1.5 * APPEARS_S
        assert watched()
