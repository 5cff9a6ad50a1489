"""Which member of a bank each face gets, from what one classifier reads in it. No clock inside.

Verdicts --hear--> shares of the labels --lead--> a member for each face --fade--> a mix
Fitted --wear--> a member of its own for a face -----------------------------'
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from facecloak.core.perturbation import ANY
from facecloak.core.types import Verdict

SMOOTH_S: Final = 0.4
"""Time constant of the shares: after so long a new expression has 63 % of them."""
ONE_READING: Final = 0.45
"""The most that one reading moves the shares, however long the one before is ago. Two readings in a
row can bring another member; readings that alternate never do."""
LEAD: Final = 0.3
"""By how much another label must lead before its member is taken."""
FADE_S: Final = 0.25
"""How long it takes to go over from one member to another."""
TRACE: Final = 1 / 64
"""A smaller share of a member in a mix is dropped: it is a fraction of a level."""
ANEW_S: Final = 3.0
"""After such a gap a reading counts as if it were the first."""
GONE_S: Final = 5.0
"""After what time without a face what was known of it is forgotten."""

Mix = Mapping[str, float]
"""Shares of members by label: positive, and one in sum. A single label where nothing fades."""
OWN: Final = "fitted"
"""How the labels of members begin that are made to measure for one face."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one face; replaced, never changed, so that another thread may read it.

    Attributes:
        answer: the label of the bank's member that answers it.
        own: by such labels, those of members made to measure, which it gets in their place.
        member: the label of the member that it has, or goes over to.
        before: the mix that it had when ``member`` was chosen.
        since_s: when that was, in frame time; long ago where nothing fades.
        shares: smoothed shares of the labels that were read, one in sum.
        read_s: when the last of them was read.
    """

    answer: str = ANY
    own: Mapping[str, str] = field(default_factory=dict)
    member: str = ANY
    before: Mix | None = None
    since_s: float = -math.inf
    shares: Mix | None = None
    read_s: float = 0.0


def told(label: str) -> str:
    """A member's label as people are told it: all those made to measure are one."""
    return OWN if label.startswith(OWN) else label


class Selector:
    """Hears verdicts and gives each face a member, or a mix while one goes over to another.

    A face that a member was made to measure for gets it in the place of the bank's own.

    What it reads in the face as captured counts, whether that fooled it or not, and only what the
    classifier called ``name`` says. A label that no member answers counts for the member
    ``"any"``, and so does a face that was not read yet. A face that was never shown begins with
    its member; every later change is a fade, which begins with the newest frame shown, so that a
    frame keeps its mix however often it is asked for.

    Where the readings end, a face keeps its member: the last expression read is a better guess than
    none, the member for every face is laid on no weaker, and without proof the guard lets nothing
    out anyway. The first reading after a gap counts alone.

    One thread uses it; ``mix`` is for any thread.

    Args:
        name: of the classifier, as on its card.
        answers: the labels that members answer, beside ``"any"``.

    Attributes:
        name: as given.
        known, shown_s, now_s: by track, what is known and when it was last shown, and the time of
            the newest frame; only another selector looks.
    """

    def __init__(self, name: str, answers: Collection[str]) -> None:
        self.name = name
        self._chooses = bool(answers)
        self._alone: dict[str, Mix] = {label: {label: 1.0} for label in (ANY, *answers)}
        self.known: dict[int, Known] = {}
        self.shown_s: dict[int, float] = {}
        self.now_s = -math.inf

    def see(self, tracks: Iterable[int], now_s: float) -> None:
        """Note which faces a frame shows, before it is cloaked.

        Args:
            tracks: their numbers.
            now_s: the frame's time in seconds. Where it ran backwards, all that is under way goes
                on from there; a time that is none is passed over.
        """
        if not math.isfinite(now_s):
            return
        if now_s < self.now_s:
            self._set_back(self.now_s - now_s)
        self.now_s = now_s
        for track in tracks:
            self.shown_s[track] = now_s
        gone = [track for track, at_s in self.shown_s.items() if now_s - at_s > GONE_S]
        for track in gone:
            del self.shown_s[track]
            self.known.pop(track, None)

    def hear(self, verdicts: Iterable[Verdict]) -> None:
        """Take verdicts, of whichever classifiers, in the order in which they were given."""
        if not self._chooses:
            return
        for verdict in verdicts:
            if verdict.classifier == self.name and math.isfinite(verdict.at_s):
                label = verdict.clean.label
                self._read(verdict.track, label if label in self._alone else ANY, verdict.at_s)

    def wear(self, track: int, label: str, answers: str = ANY) -> None:
        """Give a face a member that was made to measure for it.

        Args:
            track: its number.
            label: of the member; begins with ``OWN``.
            answers: the label of the bank's member that it gets no more.
        """
        self._alone[label] = {label: 1.0}
        self.shown_s.setdefault(track, -math.inf)
        known = self.known.get(track, Known())
        known = replace(known, own={**known.own, answers: label})
        if answers == known.answer:
            known = self._chosen(track, known, answers)
        self.known[track] = known

    @property
    def own(self) -> tuple[str, ...]:
        """The labels of the members made to measure."""
        return tuple(label for label in self._alone if label.startswith(OWN))

    def forget_unworn(self) -> set[str]:
        """Forget the members made to measure that no face has any more; return their labels."""
        worn = {known.member for known in self.known.values()}
        worn |= {label for known in self.known.values() for label in known.own.values()}
        worn |= {label for known in self.known.values() for label in known.before or ()}
        unworn = set(self.own) - worn
        for label in unworn:
            del self._alone[label]
        return unworn

    def mix(self, track: int, at_s: float) -> Mix:
        """What the face gets in a frame of that time; of the newest one, where that is none."""
        known = self.known.get(track)
        if known is None:
            return self._alone[ANY]
        at_s = at_s if math.isfinite(at_s) else self.now_s
        if known.before is None or at_s - known.since_s >= FADE_S:
            return self._alone[known.member]
        if not at_s > known.since_s:
            return known.before
        come = (at_s - known.since_s) / FADE_S
        mixed = {label: share * (1.0 - come) for label, share in known.before.items()}
        mixed[known.member] = mixed.get(known.member, 0.0) + come
        return _without_traces(mixed)

    def follow(self, former: "Selector", own: Collection[str] = ()) -> None:
        """Begin with what another one knows.

        Args:
            former: where it hears another classifier, only what was made to measure counts.
            own: the labels of the members made to measure that there are here, too.
        """
        self._alone |= {label: {label: 1.0} for label in own}
        self.now_s = former.now_s
        self.shown_s = dict(former.shown_s)
        self.known = {
            track: self._translated(known)
            for track, known in former.known.items()
            if former.name == self.name or any(label in own for label in known.own.values())
        }

    def _translated(self, known: Known) -> Known:
        """The same with labels that have a member here."""
        own = {answer: label for answer, label in known.own.items() if label in self._alone}
        answer = known.answer if known.answer in self._alone else ANY
        return replace(
            known,
            answer=answer,
            own=own,
            member=known.member if known.member in self._alone else own.get(answer, answer),
            before=known.before and self._own(known.before),
            shares=known.shares and self._own(known.shares),
        )

    def _own(self, mix: Mix) -> Mix:
        own: dict[str, float] = {}
        for label, share in mix.items():
            key = label if label in self._alone else ANY
            own[key] = own.get(key, 0.0) + share
        return own

    def _read(self, track: int, label: str, at_s: float) -> None:
        known = self.known.get(track, Known())
        shares = _moved(known.shares, label, at_s - known.read_s)
        self.shown_s.setdefault(track, -math.inf)
        known = replace(known, shares=shares, read_s=at_s)
        leader = max(shares, key=lambda one: shares[one])
        if shares[leader] - shares.get(known.answer, 0.0) > LEAD:
            known = self._chosen(track, known, leader)
        self.known[track] = known

    def _chosen(self, track: int, known: Known, leader: str) -> Known:
        """The face with another member: at once where it was never shown, else by a fade."""
        member = known.own.get(leader, leader)
        if not math.isfinite(self.shown_s[track]):
            return replace(known, answer=leader, member=member)
        before = self.mix(track, self.now_s)
        return replace(known, answer=leader, member=member, before=before, since_s=self.now_s)

    def _set_back(self, by_s: float) -> None:
        self.shown_s = {track: at_s - by_s for track, at_s in self.shown_s.items()}
        self.known = {
            track: replace(known, since_s=known.since_s - by_s, read_s=known.read_s - by_s)
            for track, known in self.known.items()
        }


def _without_traces(mix: Mix) -> Mix:
    """A mix without small shares: else fades that cut each other short would pile them up."""
    if all(share >= TRACE for share in mix.values()):
        return mix
    kept = {label: share for label, share in mix.items() if share >= TRACE}
    whole = sum(kept.values())
    return {label: share / whole for label, share in kept.items()}


def _moved(shares: Mix | None, label: str, passed_s: float) -> Mix:
    """The shares after one more reading, so long after the one before."""
    if shares is None or passed_s > ANEW_S:
        return {label: 1.0}
    weight = ONE_READING
    if passed_s >= 0:  # negative where the clock was set back between the two
        weight = min(weight, 1.0 - math.exp(-passed_s / SMOOTH_S))
    moved = {one: share * (1.0 - weight) for one, share in shares.items()}
    moved[label] = moved.get(label, 0.0) + weight
    return moved
