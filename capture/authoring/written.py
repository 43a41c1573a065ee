"""A learnt parser as a file, and its line in a configuration file that a person may have written."""

from __future__ import annotations

import json
import re
from textwrap import indent
from typing import Any

import yaml

from capture.authoring.learn import Learnt
from capture.language.model import Parser
from capture.records import Record

SCHEMA = ".schema.json"  # beside the parsers, for editors
_ITEM = re.compile(r"(\s*)- ")


def parser_text(learnt: Learnt, name: str) -> str:
    """The file of a learnt parser called `name`: its patterns, each with its first line, and its samples."""
    parts = [f"# yaml-language-server: $schema={SCHEMA}\nname: {name}\npatterns:\n"]
    for draft in learnt.drafts:
        first = draft.text.splitlines()[0].strip()[:150]
        about = f"{draft.count:,} line{'s' * (draft.count != 1)} such as: {first}"
        reason = [f"  # {draft.why}\n"] if draft.why else []
        parts += [f"  # {about}\n", *reason, indent(_yaml([dict(draft.pattern)]), "  ")]
    parts.append("samples:\n")
    for text, records in learnt.examples:
        gives = [_gives(record) for record in records]
        item = {"text": text.rstrip("\n"), "gives": gives[0] if len(gives) == 1 else gives}
        parts.append(indent(_yaml([item]), "  "))
    return "".join(parts)


def schema_text() -> str:
    """The JSON Schema of a parser file."""
    return json.dumps(Parser.model_json_schema(), indent=2) + "\n"


def with_parser(text: str, path: str) -> str | None:
    """A configuration file's text with `path` as the last of its `parsers:`, all else as it was.

    None if the text is not written in a way in which that is certain.
    """
    before = _data(text)
    if before is None:
        return None
    wanted = before.get("parsers", [])
    listed = [part.strip() for part in wanted.split(",")] if isinstance(wanted, str) else list(wanted or [])
    if path in listed:
        return text
    after = _added(text, path, "parsers" in before)
    found = _data(after) if after is not None else None
    if found is None:
        return None
    now = found.pop("parsers", [])
    now = [part.strip() for part in now.split(",")] if isinstance(now, str) else now
    before.pop("parsers", None)
    return after if now == [*listed, path] and found == before else None


def _added(text: str, path: str, is_there: bool) -> str | None:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if not is_there:
        return "".join([*lines, f"parsers:\n  - {path}\n"])
    at = next((n for n, line in enumerate(lines) if re.match(r"parsers\s*:", line)), None)
    if at is None:
        return None
    if flow := re.match(r"(parsers\s*:\s*\[)(.*?)(\s*\]\s*(?:#.*)?)$", lines[at].rstrip("\n")):
        lines[at] = f"{flow[1]}{flow[2]}{', ' * bool(flow[2].strip())}{path}{flow[3]}\n"
    elif plain := re.match(
        r"(parsers\s*:\s*[^\s\[{&*|>#'\"][^#'\"]*?)(\s*(?:#.*)?)$", lines[at].rstrip("\n")
    ):
        lines[at] = f"{plain[1]}, {path}{plain[2]}\n"
    else:
        first = next((item for line in lines[at + 1 :] if (item := _ITEM.match(line))), None)
        if first is None:
            return None
        end = last = at + 1
        while end < len(lines) and re.match(r"\s|-|#|$", lines[end]):
            last = end + 1 if lines[end].strip() and not lines[end].startswith("#") else last
            end += 1
        lines.insert(last, f"{first[1]}- {path}\n")
    return "".join(lines)


def _data(text: str) -> dict[str, Any] | None:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return {} if data is None else data if isinstance(data, dict) else None


def _gives(record: Record) -> dict[str, Any]:
    place = {"step": record.step, "epoch": record.epoch}
    found = {name: value for name, value in place.items() if value is not None}
    return found | {"metrics": dict(record.metrics)}


def _yaml(data: Any) -> str:
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000)
    return text
