import logging

from facecloak.pipeline.news import News


def test_only_changes_are_told_with_how_long_the_last_state_lasted(caplog):
    caplog.set_level(logging.INFO)
    news = News("output")
    for now_s, state in ((0.0, "shield"), (0.5, "shield"), (1.5, "cloaked"), (2.0, "cloaked")):
        news.tell(state, now_s=now_s)
    assert caplog.messages == ["output: shield", "output: shield -> cloaked after 1.5 s"]
