from facecloak.sink.null import NullSink


def test_it_counts(make_frames):
    with NullSink() as sink:
        for frame in make_frames(3):
            sink.write(frame)
    assert sink.written == 3
