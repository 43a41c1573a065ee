"""A parser's samples: the records that each one gives, and how they differ from the expected ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from capture.language.model import Gives, Parser, Sample
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline
from capture.records import Record, plain_number


def check(parser: Parser) -> list[str]:
    """A message for each of the parser's samples that does not give the expected records."""
    failures = []
    for number, sample in enumerate(parser.samples, 1):
        differences = compare(sample.gives, records(parser, sample))
        if differences:
            shown = "\n".join(f"    {line}" for line in sample.text.rstrip("\n").split("\n"))
            failures.append(f"sample {number}:\n{shown}\n" + "\n".join(f"  {text}" for text in differences))
    return failures


def records(parser: Parser, sample: Sample) -> list[Record]:
    """The records that a sample gives with this parser alone."""
    engine = Engine([parser])
    pipeline = Pipeline(engine)
    text = sample.text if sample.text.endswith("\n") else sample.text + "\n"
    return pipeline.feed(text.encode(), 0) + pipeline.finish()


def compare(wanted: Sequence[Gives], given: Sequence[Record]) -> list[str]:
    """The differences between the expected and the actual records, one line each.

    A step, an epoch or a context that the sample leaves out may be anything; metrics and config may not.
    """
    differences = []
    for index, (want, got) in enumerate(zip_longest(wanted, given), 1):
        where = f"record {index}: " if max(len(wanted), len(given)) > 1 else ""
        if got is None:
            differences.append(f"{where}expected {_show(want)}, got nothing")
        elif want is None:
            differences.append(f"{where}expected nothing, got {_show(got)}")
        else:
            differences += [f"{where}{text}" for text in _unlike(want, got)]
    return differences


def _unlike(want: Gives, got: Record) -> list[str]:
    lines = []
    for part in ("step", "epoch"):
        if part in want.model_fields_set and getattr(want, part) != getattr(got, part):
            lines.append(f"{part}: expected {getattr(want, part)}, got {getattr(got, part)}")
    lines += _unlike_values("metric", want.metrics, got.metrics, exact=True)
    lines += _unlike_values("config", want.config, got.config, exact=True)
    lines += _unlike_values("context", want.context, got.context, exact=False)
    return lines


def _unlike_values(kind: str, want: Mapping[str, Any], got: Mapping[str, Any], exact: bool) -> list[str]:
    names = [*want, *(name for name in got if exact and name not in want)]
    absent = object()
    lines = []
    for name in names:
        a, b = want.get(name, absent), got.get(name, absent)
        if a != b and plain_number(a) != plain_number(b):
            shown = ["nothing" if v is absent else repr(v) for v in (a, b)]
            lines.append(f"{kind} {name}: expected {shown[0]}, got {shown[1]}")
    return lines


def _show(item: Gives | Record) -> str:
    parts = {"step": item.step, "epoch": item.epoch, "metrics": item.metrics, "config": item.config}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value not in (None, {}))
