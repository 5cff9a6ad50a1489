from facecloak.core.types import Output
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.report import Fooling, Tally
from tests.fakes.stages import faces, raw_frame, verdict


def test_a_tally_counts_outputs_people_and_verdicts():
    tally = Tally()
    heard = (verdict(), verdict(fooled=False), verdict(classifier="other"))
    tally.add(Protected(raw_frame(), Output.CLOAKED, faces(2), heard))
    tally.add(Protected(raw_frame(), Output.SHIELD, faces(1), ()))
    report = tally.report(seconds=1.0, frames_in=3, dropped=1, stages={})
    assert report.frames_out == 2
    assert report.outputs == {"cloaked": 1, "held": 0, "shield": 1, "untouched": 0, "off": 0}
    assert report.faces == 2
    assert report.classifiers == {"net": Fooling(2, 1), "other": Fooling(1, 1)}
    assert report.classifiers["net"].rate == 0.5


def test_no_verdict_is_no_fooling():
    assert Fooling().rate == 0.0
