"""The patterns that are learnt: for a shape of lines, for a heading, for rows of a name and a number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capture.authoring.positions import Position
from capture.authoring.shapes import RESULT, UNIT, UNITS, Field, Shape

_END = rf"(?!%\|)(?={UNIT}(?!\w|:\d|[./-]\w))"
_NAME_START = r"(?<![\w./@%-])['\"]?%{KEY:key}['\"]?"
_SECOND = {"avg": r"(?:\s*\(%{NUMBER:second}\))?", "std": r"(?:\s*(?:±|\+/?-|\+)\s*%{NUMBER:second})?"}


@dataclass(frozen=True)
class Draft:
    """A pattern as data, and what there is to say about it.

    `form` is `table`, `line`, `pairs`, `context` or `rows`; `text` is the first of the `count` lines that it
    was learnt from, `place` its number in the log, from 0; `why` says how step and epoch were found.
    """

    form: str
    pattern: Mapping[str, Any]
    text: str
    place: int
    count: int
    why: str = ""
    has_step: bool = False
    has_epoch: bool = False


def draft_of(shape: Shape, position: Position, section: str = "", as_line: bool = False) -> Draft:
    """The pattern for the lines of a shape that hold metrics.

    `section` is the word that tells them from others with the same names.
    """
    metrics = [one for n, one in enumerate(shape.fields) if one.kind == "number" and n not in position.fields]
    keyed = [one for one in metrics if one.sign and not one.role]
    names = [one.name for one in keyed]
    as_pairs = not as_line and (
        (len(keyed) >= 2 or (keyed and position.fields and keyed[0].sign.strip()))
        and len(names) == len(set(names))
        and not any("/" in name and name not in shape.texts[0] for name in names)
        and not any(re.search(r" \d$", name) and name not in shape.texts[0] for name in names)
    )
    pattern = _pairs(shape, position, keyed, metrics, section) if as_pairs else _line(shape, position)
    if section:
        pattern["prefix"] = f"{section}/"
    return Draft(
        "pairs" if as_pairs else "line",
        pattern,
        shape.texts[0],
        shape.places[0],
        shape.count,
        position.why,
        position.step is not None,
        position.epoch is not None,
    )


def _pairs(
    shape: Shape, position: Position, keyed: Sequence[Field], metrics: Sequence[Field], section: str
) -> dict[str, Any]:
    """A line of names and numbers, whichever they are: some come and go."""
    guards = [_ahead(shape, position, n) for n in sorted(position.fields)]
    if not guards:
        first = next((one for one in keyed if RESULT.search(one.name)), keyed[0])
        guards = [rf"(?=.*?(?<!\w){_spaced(first.name)}['\"]?{_sign(first)}['\"]?[-+\dni.])"]
    if section:
        guards.insert(0, rf"(?=.*?(?<!\w){re.escape(section)}(?!\w))")
    loose = [one for one in keyed if not one.sign.strip(" [(#")]
    sign = r"(?:\s*[:=]\s*|\s+)" if loose else r"\s*[:=]\s*"
    roles = {one.role for one in metrics if one.role}
    role = next(iter(roles), "")
    body = rf"(?:.*?{_NAME_START}{sign}[\[(]?%{{NUMBER:value}}{_END}"
    if role:
        body += rf"{_SECOND[role]}"
    found: dict[str, Any] = {"regex": ["^", *guards, body + ")+"]}
    if role:
        found["second"] = role
    drop = [shape.fields[n].name for n in sorted(position.fields) if shape.fields[n].name]
    drop += [f"{name}." for name in drop if f"{name}. " in shape.texts[0]]
    if loose:
        drop += [unit for unit in sorted(UNITS) if re.search(rf"\d {unit}\b", shape.texts[0])]
    if drop:
        found["drop"] = drop
    return found | _step(position)


def _ahead(shape: Shape, position: Position, n: int) -> str:
    """A look ahead for the field that holds the step or the epoch."""
    one, name = shape.fields[n], "step" if n == position.step else "epoch"
    text = shape.texts[0]
    if one.name:
        before = rf"(?<!\w){_spaced(one.name)}\W{{0,8}}?"
    else:
        previous = shape.fields[n - 1].end if n else 0
        before = _spaced(text[previous : one.start][-12:])
    start = r"\s*" if n == 0 and not one.name else ".*?"
    return rf"(?={start}{before}{_number(one, name, shape.columns[n])})"


def _number(one: Field, name: str, column: Sequence[str]) -> str:
    if one.kind == "of":
        return rf"%{{INT:{name}}}\s?/\s*%{{INT:{name}s}}"
    kind = "INT" if all(re.fullmatch(r"[\d,]+", text) for text in column) else "NUMBER"
    if one.unit in tuple("KMGTB"):
        return rf"%{{SI:{name}}}(?!\w)"
    if one.unit == "epoch":
        return rf"%{{{kind}:{name}}}epoch"
    return rf"%{{{kind}:{name}}}(?!\w|\.\d)"


def _step(position: Position) -> dict[str, Any]:
    if position.counted_on and position.step is not None:
        return {"step": f"{'(epoch - 1)' if position.first_epoch else 'epoch'} * steps + step"}
    return {}


def _line(shape: Shape, position: Position) -> dict[str, Any]:
    """A line of which all but the numbers stays."""
    text, parts, at = shape.texts[0], [], 0
    for n, one in enumerate(shape.fields):
        parts.append(_braces(text[at : one.start]))
        si = one.unit in tuple("KMGTB")
        at = one.end - (0 if si else len(one.unit))
        if n in position.fields:
            name = "step" if n == position.step else "epoch"
            whole = all(re.fullmatch(r"[\d,]+", value) for value in shape.columns[n])
            kind = ":of" if one.kind == "of" else ":si" if si else ":int" if whole else ""
        elif one.kind != "number" or not one.name:
            name, kind = (
                "_",
                {"clock": ":duration", "of": ":of", "number": ":number", "range": "", "bar": ":text"}[
                    one.kind
                ],
            )
        else:
            name, kind = re.sub(r"[{}:\"']", "", one.name).strip() or "_", ":si" if si else ""
        parts.append(f"{{{name}{kind}}}")
    last = shape.fields[-1]
    tail = _braces(text[last.end :]) if len(shape.tails) == 1 else "{_:text}"
    parts.append(_braces(text[at : last.end]) + tail)
    return {"line": "".join(parts)} | _step(position)


def context_draft(shape: Shape, position: Position) -> Draft:
    """A heading: a line that only says where the lines below it are."""
    n = min(position.fields) if position.step is None else position.step
    text, one = shape.texts[0], shape.fields[n]
    if len(position.fields) > 1:
        pattern: dict[str, Any] = {**_line(shape, position), "as": "context"}
        return Draft("line", pattern, text, shape.places[0], shape.count, position.why, True, True)
    head = re.sub(r"^[\W_]+", "", text[: one.start])
    name = "at" if position.step is not None else "epoch"
    source = rf"^[\W_]*{_spaced(head)}{_number(one, name, shape.columns[n])}"
    pattern = {"regex": source, "as": "context"}
    return Draft(
        "context",
        pattern,
        text,
        shape.places[0],
        shape.count,
        position.why,
        position.step is not None,
        position.epoch is not None,
    )


def rows_draft(shapes: Sequence[Shape], contexts: Sequence[Draft]) -> Draft:
    """Lines that hold a name and a number each, below a heading that says where they are."""
    signs = {"loose" if not shape.fields[0].sign.strip(" [(#") else "strict" for shape in shapes}
    sign = r"(?:\s*[:=]\s*|\s+)" if "loose" in signs else r"\s*[:=]\s*"
    role = max(one.role for shape in shapes for one in shape.fields)
    pattern = {
        "regex": rf"^[\W_]*%{{KEY:key}}{sign}%{{NUMBER:value}}{_SECOND.get(role, '')}\s?{UNIT}\w*\W*$",
        "if": "at" if any(draft.has_step for draft in contexts) else "epoch",
        **({"second": role} if role else {}),
    }
    first = min(shapes, key=lambda shape: shape.places[0])
    count = sum(shape.count for shape in shapes)
    later = [shape for shape in shapes if any(shape.places[0] > draft.place for draft in contexts)]
    shown = min(later or [first], key=lambda shape: shape.places[0])
    return Draft("rows", pattern, shown.texts[0], shown.places[0], count)


def _sign(one: Field) -> str:
    return r"\s*" + re.escape(one.sign.strip()) + r"\s*" if one.sign.strip() else r"[\s\[(]*"


def _spaced(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
