import threading

from hypothesis import given
from hypothesis import strategies as st

from facecloak.pipeline.mailbox import Mailbox


def test_the_newest_wins_and_the_overtaken_is_counted():
    box = Mailbox[str]()
    box.put("old")
    box.put("new")
    assert box.unread == 1
    assert box.take(0) == "new"
    assert (box.dropped, box.unread) == (1, 0)


def test_nothing_in_time_is_none():
    assert Mailbox[int]().take(0.001) is None


def test_an_unread_item_can_be_taken_after_closing_and_nothing_can_be_put():
    box = Mailbox[int]()
    box.put(1)
    box.close()
    box.put(2)
    assert box.closed
    assert [box.take(), box.take()] == [1, None]
    assert box.dropped == 1


def test_closing_wakes_whoever_waits_without_end():
    box = Mailbox[int]()
    waiting = threading.Thread(target=box.take)
    waiting.start()
    box.close()
    waiting.join(1)
    assert not waiting.is_alive()


@given(st.lists(st.sampled_from(["put", "take", "close"])))
def test_taken_dropped_and_unread_add_up_to_put(events):
    box = Mailbox[int]()
    put = taken = 0
    for event in events:
        if event == "put":
            put += 1
            box.put(put)
        elif event == "take":
            taken += box.take(0) is not None
        else:
            box.close()
        assert taken + box.dropped + box.unread == put


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 60))
def test_it_adds_up_across_threads(writers, readers, each):
    box = Mailbox[int]()
    taken = []

    def read():
        while (item := box.take()) is not None:
            taken.append(item)

    reading = [threading.Thread(target=read) for _ in range(readers)]
    writing = [
        threading.Thread(target=lambda: [box.put(item) for item in range(each)])
        for _ in range(writers)
    ]
    for thread in (*reading, *writing):
        thread.start()
    for thread in writing:
        thread.join()
    box.close()
    for thread in reading:
        thread.join()
    assert len(taken) + box.dropped + box.unread == writers * each
