"""Reads out of the source which sentences errors can have, with blanks where values are filled in.

``f"There is no camera {node}."`` is the sentence ``There is no camera {0}.``. A name is followed to
what it was given before: in the same function, then in the module.
"""

import ast
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from facecloak.core import errors

BLANK = "\0"
"""Stands for a value until the blanks of a sentence are numbered."""
KINDS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.FaceCloakError)
} | {"SinkClosed"}

_Scope = list[list[ast.stmt]]
"""The statements before a place, the innermost block last."""


def of_file(file: Path) -> set[str]:
    """Every sentence that an error raised in this file can have."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    found = set()
    for call, scope in _calls(module.body, [module.body]):
        for argument in _sentences_of(call):
            for text in _texts(argument, scope, call.lineno):
                found |= {numbered(text)} if text else set()
    return found


def numbered(text: str) -> str:
    """The text with its blanks as ``{0}``, ``{1}`` and so on."""
    parts = text.split(BLANK)
    blanks = [f"{{{number}}}" for number in range(len(parts) - 1)]
    return "".join(itertools.chain(*itertools.zip_longest(parts, blanks, fillvalue="")))


def _sentences_of(call: ast.Call) -> list[ast.expr]:
    """What is wrong and what to do, of a call that makes an error; none of any other call.

    Also of one that is handed the kind of the error first, and makes it later.
    """
    if _name(call.func) in KINDS:
        return call.args
    if call.args and _name(call.args[0]) in KINDS:
        return call.args[1:3]
    return []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _calls(block: Iterable[ast.stmt], scope: _Scope) -> Iterator[tuple[ast.Call, _Scope]]:
    for statement in block:
        inner = [
            value
            for name in ("body", "orelse", "finalbody")
            for value in [getattr(statement, name, [])]
            if isinstance(value, list) and value
        ]
        inner += [handler.body for handler in getattr(statement, "handlers", [])]
        for each in inner:
            yield from _calls(each, [*scope, each])
        whole = set(map(id, itertools.chain(*inner)))
        for node in _walk(statement, whole):
            if isinstance(node, ast.Call):
                yield node, scope


def _walk(node: ast.AST, without: set[int]) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if id(child) not in without and not isinstance(child, ast.ExceptHandler):
            yield from _walk(child, without)


def _texts(node: ast.expr, scope: _Scope, line: int) -> list[str]:
    """Every text that an expression can be, values as ``BLANK``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.FormattedValue):
        as_it_is = node.conversion == -1 and node.format_spec is None
        a_text = as_it_is and isinstance(node.value, ast.Name | ast.IfExp)
        return _texts(node.value, scope, line) if a_text else [BLANK]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, scope, line) + _texts(node.orelse, scope, line)
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node.left, node.right]
        every = (_texts(part, scope, line) for part in parts)
        return ["".join(chosen) for chosen in itertools.product(*every)]
    if isinstance(node, ast.Name):
        given = list(_given(node.id, scope, line))
        texts = [_texts(value, scope, value.lineno) for value in given]
        if texts and all(text != BLANK for text in itertools.chain(*texts)):
            return list(itertools.chain(*texts))
    return [BLANK]


def _given(name: str, scope: _Scope, line: int) -> Iterator[ast.expr]:
    """What a name can have been given before a line: back to where it surely was."""
    for depth, block in reversed(list(enumerate(scope))):
        for statement in reversed([one for one in block if one.lineno < line or depth == 0]):
            for node in ast.walk(statement):
                if _is_assignment(node, name) and (node.lineno < line or depth == 0):
                    yield node.value
            if _is_assignment(statement, name):
                return


def _is_assignment(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.AnnAssign):
        return _name(node.target) == name and node.value is not None
    return isinstance(node, ast.Assign) and any(_name(one) == name for one in node.targets)
