"""Several perturbations in one file: one for every face, and one for each of some expressions.

A classifier, the selector, reads the face as captured; its label says which member the face gets.
All members share one header and one circle, so each keeps the same budgets. So does every convex
mix of members, pixel by pixel: the size of a change, the length of a shift and its strain are
norms, and no norm of a mix is larger than the largest of those that are mixed. ``docs/formats.md``
describes the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np

from facecloak.core import perturbation_file
from facecloak.core.perturbation import ANY, BANK_FORMAT, FORMAT, Header, Perturbation
from facecloak.core.perturbation_file import OWN, SHARED, Held


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Perturbations by the label that each of them answers.

    Attributes:
        header: what they say about themselves, all alike.
        members: ``"any"``, for every face, and one for each of ``header.answers``; read-only.

    Raises:
        ValueError: a member is missing, is not among the answers, or has another header or circle.
    """

    header: Header
    members: Mapping[str, Perturbation]

    def __post_init__(self) -> None:
        wanted = (ANY, *self.header.answers)
        if missing := [label for label in wanted if label not in self.members]:
            msg = f"there is no member {', '.join(map(repr, missing))}"
            raise ValueError(msg)
        if extra := [label for label in self.members if label not in wanted]:
            msg = f"the header's answers do not name the member {', '.join(map(repr, extra))}"
            raise ValueError(msg)
        for label in wanted:
            if self.members[label].header != self.header:
                msg = f"the member {label!r} has another header than its bank"
                raise ValueError(msg)
            if not np.array_equal(self.members[label].circle, self.members[ANY].circle):
                msg = (
                    f"the member {label!r} changes otherwise with time than the one for every face"
                )
                raise ValueError(msg)
        ordered = {label: self.members[label] for label in wanted}
        object.__setattr__(self, "members", MappingProxyType(ordered))

    @classmethod
    def of(cls, alone: Perturbation) -> Self:
        """A bank whose only member is for every face."""
        return cls(alone.header, {ANY: alone})

    @property
    def labels(self) -> tuple[str, ...]:
        """``"any"``, then what the other members answer, in the order of the header."""
        return tuple(self.members)

    @property
    def selector(self) -> str:
        """Name of the classifier that chooses; empty where there is nothing to choose."""
        return self.header.selector

    def member(self, label: str) -> Perturbation:
        """The perturbation for faces that read as ``label``; that for every face if none is."""
        return self.members.get(label, self.members[ANY])

    def alone(self, label: str) -> Perturbation:
        """A member under a header of its own, as if it stood in a file by itself."""
        header = replace(self.header, format=FORMAT, answers=(), selector="")
        return replace(self.member(label), header=header)

    def with_header(self, header: Header) -> "Bank":
        """The same members under another header, whose budgets they have to keep."""
        return Bank(
            header, {label: replace(one, header=header) for label, one in self.members.items()}
        )

    def save(self, path: Path) -> None:
        """Write the file in one step, in the header's format. Its suffix is ``.safetensors``."""
        tensors = {name: getattr(self.members[ANY], name) for name in SHARED}
        for label, member in self.members.items():
            prefix = f"{label}." if self.header.format == BANK_FORMAT else ""
            tensors |= {prefix + name: getattr(member, name) for name in OWN}
        perturbation_file.write(path, self.header, tensors)


def load(path: Path) -> Bank:
    """Read a bank, or a file with one perturbation as a bank of one, and check its promises.

    Raises:
        ArtifactError: the file is missing, damaged, of another format, holds other tensors than its
            header names, or a member leaves the budget.
    """
    with perturbation_file.reading(path) as (header, held):
        if header.format != BANK_FORMAT:
            return Bank.of(held.member(header))
        labels = (ANY, *header.answers)
        _check_tensors(labels, held)
        return Bank(header, {label: _member(header, held, label) for label in labels})


def _member(header: Header, held: Held, label: str) -> Perturbation:
    """The member called ``label``. Raises ValueError that names it."""
    try:
        return held.member(header, f"{label}.")
    except ValueError as exc:
        msg = f"of the member {label!r}, {exc}"
        raise ValueError(msg) from exc


def _check_tensors(labels: Iterable[str], held: Held) -> None:
    """Raises ValueError where a file does not hold exactly what its header names."""
    wanted = {f"{label}.{name}" for label in labels for name in held.own} | set(held.shared)
    if missing := sorted(wanted - held.names):
        msg = f"the tensor {missing[0]!r} is missing"
        raise ValueError(msg)
    if extra := sorted(held.names - wanted):
        msg = f"the tensor {extra[0]!r} is of no member"
        raise ValueError(msg)
