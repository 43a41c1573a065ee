"""Learns a parser from a log that nothing reads.

The lines are sorted into shapes, and each shape of which the numbers look like results becomes a pattern.
Names are those printed, step and epoch what counts; lines without a step of their own are where the last
line with one stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from capture.authoring import layouts, samples
from capture.authoring.drafts import Draft, context_draft, draft_of, rows_draft
from capture.authoring.positions import Position, position_of
from capture.authoring.shapes import RESULT, Shape, growth, last_word, shapes_of
from capture.errors import UserError
from capture.language.checked_yaml import Source
from capture.language.library import load
from capture.language.matchers import matcher
from capture.language.model import Parser, Sample
from capture.language.patterns import RegexMatcher, Timeout
from capture.records import Record

MIN_LINES = 3
MAX_PATTERNS = 24
MAX_ROW_SHAPES = 3  # lines that are nothing but a name and a number, from which on they are one pattern
ORDER = ("table", "line", "pairs", "context", "rows")  # the more special first


@dataclass(frozen=True)
class Learnt:
    """A parser that was learnt: its patterns, the most special first, and its samples."""

    drafts: Sequence[Draft]
    examples: Sequence[tuple[str, Sequence[Record]]]

    def parser(self, name: str) -> Parser:
        """The parser, called `name`."""
        return _load(name, self.drafts)


def learn(lines: Sequence[str], everything: bool = False) -> Learnt | None:
    """The parser for lines of a log, in their order; None if none of them looks like a result.

    `everything` takes also lines that recur with other numbers but don't look like results.
    """
    tables = layouts.tables(lines)
    rest = ["" if any(n in table.rows for table in tables) else line for n, line in enumerate(lines)]
    shapes = [(shape, position_of(shape)) for shape in shapes_of(rest)]
    is_training = bool(tables) or any(_counts_something(shape, position) for shape, position in shapes)
    is_training |= (
        sum(_is_row(s, p) and bool(RESULT.search(s.fields[0].name)) for s, p in shapes) >= MIN_LINES
    )
    chosen = [(s, p) for s, p in shapes if everything or _is_result(s, p, is_training)]
    drafts = [table.draft for table in tables]
    if chosen or tables:
        headings = [(s, p) for s, p in shapes if p.fields and _is_heading(s, p)]
        chosen = [(s, p) for s, p in chosen if _results(s, p)]
        drafts += _patterns(chosen, headings)
    drafts = sorted(_connected(drafts), key=lambda draft: ORDER.index(draft.form))
    if not any(draft.form != "context" for draft in drafts):
        return None
    drafts = _that_load(drafts)
    if not drafts:
        return None
    examples = _examples(drafts, lines)
    used = {draft.text for draft in drafts if any(draft.text in text for text, _ in examples)}
    drafts = [draft for draft in drafts if draft.form == "context" or draft.text in used]
    return Learnt(drafts, examples) if examples else None


def _patterns(
    chosen: Sequence[tuple[Shape, Position]], headings: Sequence[tuple[Shape, Position]]
) -> list[Draft]:
    """Patterns for the shapes, each for as many of them as it reads."""
    contexts = [context_draft(shape, position) for shape, position in headings[:4]]
    rows = [(s, p) for s, p in chosen if _is_row(s, p)]
    drafts: list[Draft] = []
    if len(rows) >= MAX_ROW_SHAPES and contexts:
        drafts.append(rows_draft([shape for shape, _ in rows], contexts))
        chosen = [(s, p) for s, p in chosen if not _is_row(s, p)]
    sections = _sections([shape for shape, _ in chosen])
    for n_shape, (shape, position) in sorted(enumerate(chosen), key=lambda item: -len(item[1][0].fields)):
        section = sections.get(n_shape, "")
        wanted = sum(shape.fields[n].unit not in tuple("KMGTB") for n in _results(shape, position))
        for n, draft in enumerate(drafts):
            if (
                draft.form == "pairs"
                and draft.pattern.get("prefix", "/")[:-1] == section
                and _values(draft, shape.texts[0]) >= wanted
            ):
                drafts[n] = replace(draft, count=draft.count + shape.count)
                break
        else:
            if len(drafts) < MAX_PATTERNS:
                drafts.append(_draft(shape, position, section, wanted))
    return drafts + contexts


def _sections(shapes: Sequence[Shape]) -> dict[int, str]:
    """By the number of a shape the word that tells it from the others with the same names: `Ux`, `valid`."""
    found: dict[int, str] = {}
    alike: dict[tuple[str, ...], list[int]] = {}
    for n, shape in enumerate(shapes):
        alike.setdefault(tuple(one.name for one in shape.fields), []).append(n)
    for names, numbers in alike.items():
        spoken = {word for name in names for word in re.findall(r"\w+", name)}
        words = {n: re.findall(r"(?<!\w)[A-Za-z_]\w*", shapes[n].texts[0]) for n in numbers}
        only = {
            n: [
                word
                for word in words[n]
                if word not in spoken and all(word not in words[other] for other in numbers if other != n)
            ]
            for n in numbers
        }
        if len(numbers) > 1 and all(own for own in only.values()):
            found |= {n: own[-1] for n, own in only.items()}
    return found


def _draft(shape: Shape, position: Position, section: str, wanted: int) -> Draft:
    """The pattern for a shape: names and numbers in any order if that reads them all, else the exact line."""
    draft = draft_of(shape, position, section)
    if draft.form == "pairs" and _values(draft, shape.texts[0]) < wanted:
        return draft_of(shape, position, section, as_line=True)
    return draft


def _connected(drafts: list[Draft]) -> list[Draft]:
    """The patterns, of which those with a step or an epoch tell it to those without."""
    without = [draft for draft in drafts if draft.form != "context" and not draft.has_step]
    if not without:
        return [draft for draft in drafts if draft.form != "context" or not draft.has_step]
    found = []
    for draft in drafts:
        pattern = dict(draft.pattern)
        if draft.has_step:
            pattern.setdefault("remember", {})
            pattern["remember"] = {**pattern["remember"], "at": "at" if draft.form == "context" else "step"}
        elif draft.form != "context" and any(other.has_step for other in drafts):
            pattern["step"] = "at"
        if draft.has_epoch:
            pattern["remember"] = {**pattern.get("remember", {}), "epoch": "epoch"}
        found.append(replace(draft, pattern=pattern))
    return found


def _results(shape: Shape, position: Position) -> list[int]:
    """The fields that become metrics."""
    return [
        n
        for n, one in enumerate(shape.fields)
        if one.kind == "number" and one.name and n not in position.fields
    ]


def _counts_something(shape: Shape, position: Position) -> bool:
    """Whether a step or an epoch is on the line, by its word."""
    return any(shape.fields[n].name for n in position.fields)


def _is_result(shape: Shape, position: Position, is_training: bool) -> bool:
    """Whether the numbers look like results: by a word beside a decimal, or beside a counter."""
    results = _results(shape, position)
    decimal = [n for n in results if any(re.search(r"[.en]", text.lower()) for text in shape.columns[n])]
    spoken = [n for n in decimal if RESULT.search(shape.fields[n].name) and shape.fields[n].sign]
    changes = [n for n in results if len(set(shape.columns[n])) > 1]
    if spoken and (
        position.fields or is_training or (shape.count >= MIN_LINES and set(spoken) & set(changes))
    ):
        return True
    named = position.step is not None and bool(shape.fields[position.step].name)
    if named and len(decimal) > (1 if position.epoch is not None else 2):
        return True
    if position.step is not None and shape.count >= MIN_LINES and changes and decimal:
        column = [text.split("/")[0].strip() for text in shape.columns[position.step]]
        return growth(column) > 0
    is_told = bool(changes) or (shape.count == 1 and any(one.sign.strip() for one in shape.fields))
    return is_training and bool(decimal) and is_told and _is_row(shape, position)


def _is_heading(shape: Shape, position: Position) -> bool:
    """Whether a line says where it is and nothing else; how many steps there will be is no place."""
    if _results(shape, position):
        return False
    names = [last_word(shape.fields[n].name) for n in position.fields]
    if not any(names):
        return False
    changes = any(len(set(shape.columns[n])) > 1 for n in position.fields)
    return changes or not all(name.endswith("s") for name in names)


def _is_row(shape: Shape, position: Position) -> bool:
    """Whether a line is nothing but a name and a number."""
    fields = [one for one in shape.fields if not one.role]
    if len(fields) != 1 or not fields[0].name or position.fields or fields[0].kind != "number":
        return False
    one, text = fields[0], shape.texts[0]
    head = re.sub(r"[\W_]", "", text[: one.start])
    return head == re.sub(r"[\W_]", "", one.name) and len(re.findall(r"[A-Za-z]+", text[one.end :])) <= 1


def _values(draft: Draft, text: str) -> int:
    """How many values a pattern reads in a line."""
    compiled = matcher(_load("draft", [draft]).patterns[0])
    if not isinstance(compiled, RegexMatcher):
        return 0
    try:
        match = compiled.match(text, 1.0)
    except Timeout:
        return 0
    dropped = set(draft.pattern.get("drop", ()))
    return len({name for name, _ in match.pairs} - dropped) if match else 0


def _load(name: str, drafts: Iterable[Draft]) -> Parser:
    data = {"name": name, "patterns": [draft.pattern for draft in drafts]}
    return load(Source.of_data(data, name), samples=False)


def _that_load(drafts: Sequence[Draft]) -> list[Draft]:
    """Those of the patterns that the language accepts: names may hold anything that programs print."""
    found = []
    for draft in drafts:
        try:
            _load("draft", [draft])
            found.append(draft)
        except UserError:
            continue
    return found


def _examples(drafts: Sequence[Draft], lines: Sequence[str]) -> list[tuple[str, Sequence[Record]]]:
    """A sample for each pattern: its first lines, below the last one that told them where they are."""
    parser = _load("sample", drafts)
    heads = [draft for draft in drafts if draft.form == "context"]
    found: list[tuple[str, Sequence[Record]]] = []
    for draft in drafts:
        if draft.form == "context":
            continue
        above = [head.text for head in heads if head.place < draft.place][-2:]
        for text in ("\n".join([*above, draft.text]) + "\n", draft.text + "\n"):
            records = samples.records(parser, Sample.model_construct(text=text, gives=[]))
            if records:
                found.append((text, records))
                break
    return found
