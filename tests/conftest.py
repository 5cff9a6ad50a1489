"""Gates over every test: no required test skips, no thread stays, no warning is unexpected."""

import logging
import os
import threading

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("fast", max_examples=10, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None)
settings.register_profile(
    "deep", max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("FACECLOAK_HYPOTHESIS", "fast"))

THREAD_GRACE_S = 1.0


def pytest_addoption(parser):
    parser.addoption(
        "--require",
        default="",
        metavar="MARKERS",
        help="comma-separated, such as camera,vcam: a test with such a mark must not skip",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    required = {name.strip() for name in item.config.getoption("--require").split(",")}
    marked = required & {marker.name for marker in item.iter_markers()}
    if report.skipped and marked and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: required here, but skipped: {report.longrepr[2]}"
    return report


@pytest.fixture(autouse=True)
def no_thread_left_behind():
    """Fail a test that leaves a thread of ours, or one of its own, running."""
    before = set(threading.enumerate())
    yield
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        thread.join(THREAD_GRACE_S)
    left = [thread.name for thread in started if thread.is_alive()]
    assert not left, f"threads still running: {left}"


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_unexpected_warning(request):
    """Fail a test in which FaceCloak logs a warning, unless it is marked ``warns_in_log``."""
    handler = _Warnings()
    loggers = [logging.getLogger(name) for name in ("facecloak", "facecloak_train")]
    for logger in loggers:
        logger.addHandler(handler)
    yield
    for logger in loggers:
        logger.removeHandler(handler)
    if not request.node.get_closest_marker("warns_in_log"):
        said = [f"{record.name}: {record.getMessage()}" for record in handler.records]
        assert not said, f"unexpected in the log: {said}"
