"""One HTML file of a page: its text, style, scripts and data, and a policy that lets nothing else run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from capture.records import plain_number

MAIN = "page.js"
_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"\./([\w.]+)";\n', re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.M)


def render(title: str, data: Mapping[str, Any]) -> str:
    """The page as HTML.  `data` is what its scripts read; the same data gives the same text."""
    library = _file("vendor/uPlot.iife.min.js")
    scripts = "".join(_joined(MAIN))
    style = _file("vendor/uPlot.min.css") + _file("page.css")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_digest(library)} {_digest(scripts)}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    parts = {
        "TITLE": html.escape(title),
        "POLICY": html.escape(policy, quote=True),
        "STYLE": style,
        "LIBRARY": library,
        "DATA": packed(data),
        "SCRIPTS": scripts,
    }
    return re.sub(r"@@([A-Z]+)@@", lambda match: parts[match[1]], _file("page.html"))


def packed(data: Mapping[str, Any]) -> str:
    """Data as the page's scripts unpack it: JSON, gzip, base64."""
    text = json.dumps(
        _without_nan(data), separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str
    )
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 6, mtime=0)).decode("ascii")


def _without_nan(item: Any) -> Any:
    """Numbers that JSON does not have become text, as in `records.jsonl`; columns are clean already."""
    if isinstance(item, float):
        return plain_number(item)
    if isinstance(item, Mapping):
        return {
            name: part if name in ("rows", "values") else _without_nan(part) for name, part in item.items()
        }
    if isinstance(item, (list, tuple)):
        return [_without_nan(part) for part in item]
    return item


def _joined(name: str, done: dict[str, None] | None = None) -> Iterator[str]:
    """A module's script behind those that it imports, each once: what it names is theirs already."""
    done = {} if done is None else done
    if name in done:
        return
    done[name] = None
    text = _file(name)
    for imported in _IMPORT.findall(text):
        yield from _joined(imported, done)
    yield _EXPORT.sub("", _IMPORT.sub("", text))


def _digest(text: str) -> str:
    """A source of Content-Security-Policy that allows this text alone."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return resources.files("capture.page").joinpath("web", *name.split("/")).read_text(encoding="utf-8")
