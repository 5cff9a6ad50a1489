"""The table of edges in docs/threat-model.md: every row is played, every story exists."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from facecloak.core.types import Face, Faces, Output, Sighting
from facecloak.pipeline.guard import GuardSettings
from facecloak.pipeline.jury import Round
from tests.fakes.assembly import protector
from tests.fakes.desk import NEW, DeskJury, Paint, fail
from tests.fakes.stages import (
    CLOAKED,
    RAW,
    SIZE,
    SLATE,
    FakeCloak,
    FakeFinder,
    face,
    faces,
    mark,
    raw_frame,
)

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "threat-model.md"
PICTURES = {
    "face": faces(1),
    "two": faces(2),
    "nobody": Faces(),
    "missed": Faces(missing=1),
    "one-missed": faces(1, missing=1),
    "followed": Faces((Face(0, face().face_from_frame, Sighting.PREDICTED),)),
    "finder-fails": None,
    "no-picture": None,
}
ORDERS = {"off", "on", "renew"}
FAULTS = {"cloak-fails", "cloak-passes", "judge-fails"}
JUDGING = {"unjudged", "half-judged", "empty-round", "late", "unfooled"}
WORDS = PICTURES.keys() | ORDERS | FAULTS | JUDGING | {"small"}
MARKS = {"cloaked": {CLOAKED}, "cloaked-anew": {NEW}, "held": {CLOAKED, NEW}, "shield": {SLATE},
         "untouched": {RAW}, "off": {RAW}}  # fmt: skip


class Row(NamedTuple):
    situation: str
    shown: str
    played: str
    story: str


def table():
    text = DOCUMENT.read_text(encoding="utf-8").split("## Every edge")[1]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


ROWS = table()
PLAYED = [pytest.param(row.played.strip("`"), id=row.situation) for row in ROWS if row.played]


class Step(NamedTuple):
    at_s: float
    words: list[str]
    shown: str


def parse(played):
    """The policies and the steps of a row; fails on a word that it does not know."""
    policies, script = re.fullmatch(r"(?:\[(\S+)\] )?(.+)", played).groups()
    steps = []
    for part in script.split("; "):
        happens, shown = part.split(": ")
        at_s, *words = happens.split()
        assert WORDS.issuperset(words), part
        assert len(PICTURES.keys() & set(words)) == 1, part
        steps.append(Step(float(at_s), words, shown))
    return dict(policy.split("=") for policy in [policies] if policies), steps


class Stage:
    """A protector whose stages do what the words of a step say."""

    def __init__(self, policies):
        self.words: list[str] = []
        self.jury = DeskJury()
        self.jury.submit = self.submit
        self.subject = protector(
            finder=FakeFinder(self.find),
            cloak=FakeCloak(self.cloak),
            jury=self.jury,
            guard=GuardSettings(hold_s=0.4, proof_s=2.0, **policies),
        )

    def find(self, _frame):
        (seen,) = PICTURES.keys() & set(self.words)
        return PICTURES[seen] or fail(RuntimeError())

    def cloak(self, frame, make=lambda _frame: None):
        if "cloak-fails" in self.words:
            fail(ValueError())
        return frame if "cloak-passes" in self.words else make(frame)

    def renewed(self):
        paint = Paint(NEW)
        return FakeCloak(lambda frame: self.cloak(frame, lambda f: paint.apply(f, (face(),))))

    def submit(self, case):
        if "judge-fails" in self.words:
            fail(RuntimeError())
        if "empty-round" in self.words:
            self.jury._rounds.append(Round(case.at_s, (), complete=True, term=case.term))
            return
        self.jury.desk.append(case)
        if not {"unjudged", "late"} & set(self.words):
            self.jury.answer(
                fooled="unfooled" not in self.words, complete="half-judged" not in self.words
            )

    def play(self, index, step):
        self.words = step.words
        for word in step.words:
            if word in {"on", "off"}:
                self.subject.switch(on=word == "on")
            elif word == "renew":
                self.subject.renew(self.renewed())
            elif word == "late":
                self.jury.answer()
        size = (4, 4) if "small" in step.words else SIZE
        if "no-picture" in step.words:
            return self.subject.stand_in(size, captured_s=0.0, index=index, now_s=step.at_s)
        return self.subject.protect(raw_frame(index, step.at_s, size))


@pytest.mark.warns_in_log
@pytest.mark.parametrize("played", PLAYED)
def test_what_goes_out_is_what_the_table_says(played):
    policies, steps = parse(played)
    stage = Stage(policies)
    for index, step in enumerate(steps):
        out = stage.play(index, step)
        assert out.output.value == step.shown.removesuffix("-anew"), step
        assert mark(out.frame) in MARKS[step.shown], step


def names_of(path):
    """What pytest may collect from a file, and every text in it that may be a story's name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):  # the test case of a state machine
            tests |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return tests, texts


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.situation)
def test_every_edge_has_its_story(row):
    path, name, story = re.fullmatch(r"`(\S+\.py)::(\w+)(?:\[(.+)\])?`", row.story).groups()
    tests, texts = names_of(TESTS / path)
    assert name.lower().startswith("test")
    assert name in tests
    assert story is None or story in texts


def test_the_table_is_of_every_output_and_every_event_and_names_each_edge_once():
    steps = [step for row in ROWS if row.played for step in parse(row.played.strip("`"))[1]]
    assert {step.shown.removesuffix("-anew") for step in steps} == {one.value for one in Output}
    assert {word for step in steps for word in step.words} == WORDS
    situations = [row.situation for row in ROWS]
    assert len(situations) == len(set(situations)) >= 40


def test_the_second_column_names_what_the_last_step_shows():
    """The words for people and the words for the test agree."""
    said = {"untouched": "the room", "off": "as captured", "cloaked-anew": "by the new"}
    for row in ROWS:
        if row.played:
            shown = parse(row.played.strip("`"))[1][-1].shown
            assert said.get(shown, shown) in row.shown, row


@pytest.mark.parametrize("policy", ["empty_room", "unfooled"])
def test_every_policy_and_its_default_is_documented(policy):
    text = DOCUMENT.read_text(encoding="utf-8")
    default, other = re.search(rf"\n\| `{policy}` \| `(\w+)`, `(\w+)` \|", text).groups()
    assert getattr(GuardSettings(), policy) == default
    assert getattr(GuardSettings(**{policy: other}), policy) == other
