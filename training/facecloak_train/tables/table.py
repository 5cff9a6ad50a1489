"""A table, as text for people, and the file that it stands in."""

from dataclasses import dataclass
from pathlib import Path

from facecloak_train import run
from facecloak_train.tables.reports import Report


@dataclass(frozen=True, slots=True)
class Table:
    """Markdown, and the reports that it was made from.

    Attributes:
        text: the table, with what one has to know to read it.
        reports: all that stand in it.
    """

    text: str
    reports: tuple[Report, ...]

    def document(self) -> str:
        """The table, and below it the command of each report, with that of its weights if known."""
        made = {report.command: report.fit_command for report in self.reports}
        lines = [self.text, "", "Made by:", ""]
        for command, fit in made.items():
            lines += [f"- `{command}`", *([f"  - its weights by `{fit}`"] if fit else [])]
        return "\n".join([*lines, ""])

    def write(self, out: Path) -> None:
        """Write the document."""
        out.parent.mkdir(parents=True, exist_ok=True)
        run.write_atomically(out, self.document().encode())


def mean_of(values: list[float], digits: int = 2) -> str:
    """A share in percent, and of several runs, such as seeds, the mean with their range."""
    mean = f"{100 * sum(values) / len(values):.{digits}f} %"
    if len(values) == 1:
        return mean
    low, high = (100 * end(values) for end in (min, max))
    return f"{mean} ({len(values)} runs, {low:.{digits}f} - {high:.{digits}f})"


def row(cells: list[str]) -> str:
    """A line of Markdown."""
    return "| " + " | ".join(cells) + " |"


def head(cells: list[str]) -> list[str]:
    """The two lines that a table begins with."""
    return [row(cells), "|---" * len(cells) + "|"]
