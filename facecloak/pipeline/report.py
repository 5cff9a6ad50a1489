"""What a run amounted to, in numbers that can be written to a file as they are."""

from collections import Counter
from dataclasses import dataclass, field

from facecloak.core.types import Output
from facecloak.pipeline.protector import Protected


@dataclass(slots=True)
class Fooling:
    """How often one classifier was fooled.

    Attributes:
        judged: faces judged, each frame's anew; only verdicts that came with a cloaked frame count.
        fooled: how many of them it reads as another class since the cloak.
    """

    judged: int = 0
    fooled: int = 0

    @property
    def rate(self) -> float:
        """Share in ``[0, 1]``; 0 when nothing was judged."""
        return self.fooled / self.judged if self.judged else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run amounted to.

    Attributes:
        seconds: how long it took, on the wall.
        frames_in: pictures the source handed over.
        frames_out: frames the sink took, stand-ins included.
        dropped: pictures passed over for a newer one, here or in the source.
        outputs: frames out by the value of their ``Output``; all five are named.
        faces: different people seen, as far as tracking could tell.
        classifiers: fooling by the classifier's name.
        stages: ``StageTimes.summary()``.
    """

    seconds: float
    frames_in: int
    frames_out: int
    dropped: int
    outputs: dict[str, int]
    faces: int
    classifiers: dict[str, Fooling]
    stages: dict[str, dict[str, float]]


@dataclass(slots=True)
class Tally:
    """Counts what goes out while a run lasts."""

    outputs: Counter[Output] = field(default_factory=Counter)
    tracks: set[int] = field(default_factory=set)
    classifiers: dict[str, Fooling] = field(default_factory=dict)

    @property
    def frames_out(self) -> int:
        """How many frames went out."""
        return self.outputs.total()

    def add(self, protected: Protected) -> None:
        """Count one frame that the sink took."""
        self.outputs[protected.output] += 1
        self.tracks.update(face.track for face in protected.faces.found)
        if protected.output is not Output.CLOAKED:
            return
        for verdict in protected.verdicts:
            fooling = self.classifiers.setdefault(verdict.classifier, Fooling())
            fooling.judged += 1
            fooling.fooled += verdict.fooled

    def report(
        self, *, seconds: float, frames_in: int, dropped: int, stages: dict[str, dict[str, float]]
    ) -> RunReport:
        """The sum of it all."""
        return RunReport(
            seconds=seconds,
            frames_in=frames_in,
            frames_out=self.frames_out,
            dropped=dropped,
            outputs={output.value: self.outputs[output] for output in Output},
            faces=len(self.tracks),
            classifiers=self.classifiers,
            stages=stages,
        )
