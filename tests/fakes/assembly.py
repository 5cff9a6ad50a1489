"""A protector put together from fakes, each of which a test may replace."""

from facecloak.core.stats import StageTimes
from facecloak.pipeline.guard import Guard, GuardSettings
from facecloak.pipeline.jury import InlineJury, Jury
from facecloak.pipeline.protector import Protector
from tests.fakes.stages import FakeCloak, FakeFinder, FakeJudge, FakeShield


def protector(
    *,
    finder: FakeFinder | None = None,
    cloak: FakeCloak | None = None,
    judge: FakeJudge | None = None,
    jury: Jury | None = None,
    guard: GuardSettings | None = None,
) -> Protector:
    times = StageTimes()
    return Protector(
        finder=finder or FakeFinder(),
        cloak=cloak or FakeCloak(),
        shield=FakeShield(),
        jury=jury or InlineJury(judge or FakeJudge(), times),
        guard=Guard(guard),
        times=times,
    )
