import threading

import pytest

from facecloak.face.scout import Scout


@pytest.fixture
def scout():
    scout = Scout()
    yield scout
    scout.close()
    scout.close()


def wait_for_answer(scout):
    for _ in range(2000):
        seen = scout.answer()
        if seen:
            return seen
        threading.Event().wait(0.001)
    return []


def test_a_look_is_answered_once_and_later(scout):
    go = threading.Event()
    scout.ask(lambda: [go.wait(5), "face"])
    assert scout.answer() == []
    scout.ask(lambda: ["passed over"])
    go.set()
    assert wait_for_answer(scout) == [True, "face"]
    assert scout.answer() == []
    scout.ask(lambda: ["another"])
    assert wait_for_answer(scout) == ["another"]


def test_what_a_look_raises_comes_out_of_the_answer(scout):
    scout.ask(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        wait_for_answer(scout)
