from fractions import Fraction

import pytest

from facecloak.sink.encoder import Encoder


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(100, 3)])
def test_frames_on_the_beat_are_a_whole_number_of_ticks_apart(tmp_path, rate):
    encoder = Encoder(tmp_path / "out.mp4", rate=rate, size=(64, 48), lossless=False)
    assert encoder._time_base <= Fraction(1, 10_000)
    assert encoder._ticks * encoder._time_base == 1 / rate
    for beat in (0, 1, 7, 100_000):
        rounded_s = round(float(beat / rate), 3)  # as Matroska stores it
        assert encoder._pts(rounded_s) * encoder._time_base == beat / rate
    off_s = float(7 / rate) + 0.011
    assert float(encoder._pts(off_s) * encoder._time_base) == pytest.approx(off_s, abs=1e-4)
    encoder.close()
