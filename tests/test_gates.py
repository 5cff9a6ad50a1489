"""The gates of ``conftest.py``, each seen to close."""

import pathlib

import pytest

pytest_plugins = ["pytester"]

CONFTEST = pathlib.Path(__file__).with_name("conftest.py")
MARKERS = "[pytest]\nmarkers =\n    camera: needs one\n    warns_in_log: may warn\n"


@pytest.fixture
def gated(pytester):
    """Run one test file under the gates and return the counts of its outcomes."""

    def run(body, *args):
        pytester.makeini(MARKERS)
        pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
        pytester.makepyfile(body)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *args).parseoutcomes()

    return run


SKIPS = "import pytest\n@pytest.mark.camera\ndef test_it(): pytest.skip('no camera here')\n"


def test_a_skip_is_a_failure_only_where_its_marker_is_required(gated):
    assert gated(SKIPS) == {"skipped": 1}
    assert gated(SKIPS, "--require", "vcam,camera") == {"failed": 1}


def test_a_thread_left_behind_is_an_error(gated):
    body = """
        import threading
        going = threading.Event()
        def test_it(): threading.Thread(target=going.wait, args=(1.5,), daemon=True).start()
    """
    assert gated(body) == {"passed": 1, "errors": 1}


LOGS = (
    "import logging, pytest\n{mark}\ndef test_it(): logging.getLogger('facecloak.x').warning('!')\n"
)


@pytest.mark.warns_in_log
@pytest.mark.parametrize(
    ("mark", "outcome"),
    [("", {"passed": 1, "errors": 1}), ("@pytest.mark.warns_in_log", {"passed": 1})],
)
def test_a_warning_in_the_log_is_an_error_unless_marked(gated, mark, outcome):
    assert gated(LOGS.format(mark=mark)) == outcome
