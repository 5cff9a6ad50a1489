import threading

import pytest

from facecloak.pipeline.worker import Worker


def test_a_good_end_leaves_no_error():
    ended = threading.Event()
    worker = Worker("test", lambda: None, ended.set)
    assert worker.join(1)
    assert ended.is_set()
    assert worker.error is None


@pytest.mark.warns_in_log
def test_a_bad_end_names_the_type_and_not_the_text(caplog):
    ended = threading.Event()

    def work():
        msg = "landmark at 0.31, 0.62"
        raise LookupError(msg)

    worker = Worker("test", work, ended.set)
    assert worker.join(1)
    assert ended.is_set()
    assert isinstance(worker.error, LookupError)
    assert caplog.messages == ["facecloak-test ended: LookupError"]


@pytest.mark.warns_in_log
def test_a_hang_is_told():
    going = threading.Event()
    worker = Worker("test", lambda: going.wait() and None, lambda: None)
    assert not worker.join(0.01)
    going.set()
    assert worker.join(1)
