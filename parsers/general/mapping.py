"""Lines that end in a mapping: JSON, or a Python dict with numbers of any library."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from capture.language.numbers import NUMBER, is_number, number
from capture.parsers import vocabulary
from capture.parsers.general import other_lines, scanner
from capture.parsers.general.line import Scan, ScannedLine, Span
from capture.parsers.general.tokens import OF_RUN, STEP_PRIORITY
from capture.parsers.vocabulary import Clarity

Spans = dict[str, tuple[int, int] | None]  # where the number of each name begins and ends, if it has one

DEEPEST = 16
LARGEST_STEP = 10**15
LONGEST_HEAD = 80  # characters before the mapping
FARTHEST = 300  # where it begins at the latest, with its type and spaces before it

_TYPE = r"(?:tensor|array|Array|(?:np\.|numpy\.|jnp\.|torch\.)?(?:float|int|uint|bfloat)\d*_?)\(\s*"
_TOKEN = re.compile(
    rf"\s*(?:(?P<open>\{{)|(?P<close>\}})|(?P<open_list>[\[(])|(?P<close_list>[\])])|(?P<comma>,)|(?P<colon>:)"
    rf"|(?:{_TYPE})(?P<typed>{NUMBER})(?:\s*,[^()]*)?\s*\)"
    rf"|(?P<number>{NUMBER})(?=\s*(?:[,\]}})]|$))"
    rf"|u?'(?P<single>(?:[^'\\]|\\.)*)'|u?\"(?P<double>(?:[^\"\\]|\\.)*)\""
    rf"|(?P<other>[^\s,{{}}\[\]():'\"]+(?:\([^()]*\))?))"
)
_REST = re.compile(r"[\s.;)]*(?:\w+=[\w.+-]+\s*){0,5}")  # metrics={'loss': 0.5} step=50
_DICT_TYPE = re.compile(r"(?:\w+\.)?(?:defaultdict\(<class '[\w.]+'>, |(?:OrderedDict|Counter|dict)\()$")
_BETWEEN = re.compile(  # train {...} val {...}
    r"[\s,;|/-]{1,4}(?P<label>[A-Za-z][\w ]{0,30}?)\s?[:=]?\s{0,3}(?=\{)"
)
_OF_SPLIT = re.compile(  # {"phase": "val", "loss": 0.5}
    r"['\"](?:split|phase|mode|status|stage|subset|set)['\"]: ?['\"](?P<split>\w{2,10})['\"]"
)
_ON_EPOCH = re.compile(r"onEpochEnd(?=:? \d)")  # onEpochEnd 1 { loss: 0.5 }, of TensorFlow.js
_METHOD = re.compile(r"\.\w+\(\s*$")
# A logger that counts both writes its steps, unlike a line of text, where the step may be one of the episode.
_PRIORITY = {**STEP_PRIORITY, "episode": STEP_PRIORITY["step"] - 1}
_WHOLE = re.compile(r"[+-]?\d[\d,]*(?:\.0*)?|[+-]?\d(?:\.\d+)?[eE]\+?\d+")  # 270000   1080.0   2e5
_SECTIONS_OF_SETTINGS = frozenset(["config", "args", "hparams", "hyperparameters", "params", "settings"])
_CLOCKS_AND_TOTALS = frozenset(
    ["timestamp", "_timestamp", "_stamp", "time", "total_steps", "num_epochs", "max_steps", "total_epochs"]
)


def start(text: str) -> int:
    """Where a mapping may begin; -1 if there is none."""
    at = text.find("{")
    return at if at >= 0 and ":" in text[at:] else -1


def scan(text: str, start: int) -> Scan:
    """The metrics and positions of a line that ends in a mapping, if a name is that of a metric."""
    found = scan_any(text, start)
    return found if found.line and found.line.clearest >= Clarity.WEAK else found._replace(line=None)


def scan_any(text: str, start: int) -> Scan:
    """The numbers and positions of a line that ends in a mapping, after few words or a position."""
    if start > FARTHEST:
        return Scan(None, text, True)
    head = _DICT_TYPE.sub("", text[:start]).rstrip(" :=-(")
    head = f"{head}: " if head.isdigit() else _ON_EPOCH.sub("     Epoch", head)  # as long as before
    if len(head) > LONGEST_HEAD or other_lines.is_other(head) or _METHOD.search(text, 0, start):
        return Scan(None, text, True)
    mappings = all_of(text, start, head)
    if not mappings or not mappings[0][1]:
        return Scan(None, text, True)
    line = scanner.find(head)
    if line.unknown_words > scanner.MOST_UNKNOWN or line.unknown_numbers:
        return Scan(None, text, not line.depends_on_digits)
    for label, spans in mappings:
        settings = [name for name in spans if _is_setting(name)]
        if settings and _lists_settings(settings, spans, line):
            return Scan(None, text, not line.depends_on_digits)
        _begin_section(label, spans, text, line)
        for name, span in spans.items():
            if span is not None and name not in settings:
                _add(name, *span, text, line)
        line.section = ""
    return Scan(line, text, not line.depends_on_digits)


def all_of(text: str, start: int, head: str) -> list[tuple[str, Spans]] | None:
    """The mappings that end the text, each with what is before it; None if they don't end it."""
    label, found = head, []
    while mapping := find(text, start):
        spans, end = mapping
        found.append((label, spans))
        if _REST.fullmatch(text, end):
            return found
        between = _BETWEEN.match(text, end)
        if not between:
            return None
        label, start = between["label"], between.end()
    return None


def _begin_section(label: str, spans: Spans, text: str, line: ScannedLine) -> None:
    """Keep what the words before a mapping say of all its names: `Losses {'ner': 117.4}`, `valid_m {...}`."""
    before, _, word = label.rpartition(" ")
    if not line.section:
        line.section = next(filter(vocabulary.is_split, before.split()), "")
    of_split = _OF_SPLIT.search(text)
    if not line.section and of_split and vocabulary.is_split(of_split["split"]):
        line.section = of_split["split"]
    is_loss = word.lower() in ("loss", "losses")
    is_metric = vocabulary.clarity(word) == Clarity.CLEAR and not any(
        vocabulary.clarity(name) == Clarity.CLEAR for name in spans
    )
    if is_loss or is_metric:
        line.section, line.clearest = f"{line.section} {word}".strip(), Clarity.CLEAR
    elif not line.section:
        line.section = next(filter(vocabulary.is_split, re.split(r"_|-", word)), "")


def _is_setting(name: str) -> bool:
    *sections, last = name.split("/")
    return vocabulary.is_setting(last) or not _SECTIONS_OF_SETTINGS.isdisjoint(map(str.lower, sections))


def _lists_settings(
    settings: Sequence[str], spans: Mapping[str, tuple[int, int] | None], line: ScannedLine
) -> bool:
    """Whether the mapping is a list of settings, and not metrics with a few settings beside them.

    Metrics are printed with how far the run is, or outnumber the settings.
    """
    others = [name for name, span in spans.items() if span is not None and name not in settings]
    clear = sum(vocabulary.clarity(name) == Clarity.CLEAR for name in others)
    if line.positions or any(name.lower() == "epoch" or _priority(name) for name in others):
        return not clear
    return clear <= len(settings)


def _key(name: str) -> str:
    return name.lower().removeprefix("train/").removeprefix("current_")


def _priority(name: str) -> int:
    """The priority of the name as a word for the step; 0 if it is none."""
    key = _key(name)
    word = key.removeprefix("global_")
    return _PRIORITY.get(word.removesuffix("s"), 0) + (OF_RUN if word != key else 0)


def _add(name: str, start: int, end: int, text: str, line: ScannedLine) -> None:
    """Add a metric or a position of the mapping."""
    key, priority = _key(name), _priority(name)
    if key in ("epoch", "epochs", "global_epoch"):
        line.positions["epoch"] = Span(start, end, number)
    elif priority:
        shown = text[start:end]
        line.depends_on_digits |= not shown.isdigit()
        if priority > line.step_priority and _WHOLE.fullmatch(
            shown
        ):  # `"update": 3.25` is a part of an epoch
            line.positions["step"], line.step_priority = Span(start, end, _step), priority
    elif key not in _CLOCKS_AND_TOTALS:
        full_name = f"{line.section}/{name}" if line.section else name
        line.metrics[full_name] = Span(start, end, number)
        line.clearest = max(line.clearest, vocabulary.clarity(name))


def _step(shown: str) -> float:
    value = number(shown)
    return int(value) if abs(value) < LARGEST_STEP else math.nan


def find(text: str, start: int) -> tuple[Spans, int] | None:
    """The names in the mapping that begins at `start`, and where it ends; None if it is no mapping.

    What is inside of `a` is `a/b`, a text that is a number counts as one, and lists do not.
    """
    found: Spans = {}
    path: list[str] = []
    key, in_list, depth = "", 0, 0
    span: tuple[int, int] | None = None
    has_value = False
    expects_key = False
    at = start
    while True:
        token = _TOKEN.match(text, at)
        if not token:
            return None
        at = token.end()
        kind = token.lastgroup or ""
        shown = token[kind]
        if kind == "open_list":
            in_list += 1
        elif kind == "close_list":
            in_list -= 1
            if in_list < 0:
                return None
        elif in_list:
            continue
        elif kind == "open":
            if expects_key or depth == DEEPEST:
                return None
            if depth:
                path.append(key)
            depth += 1
            expects_key, has_value, span = True, False, None
        elif kind in ("comma", "close"):
            if has_value:
                found["/".join([*path, key])] = span
            expects_key, has_value, span = True, False, None
            if kind == "close":
                depth -= 1
                if not depth:
                    return found, at
                key = path.pop()
        elif kind == "colon":
            expects_key = False
        elif expects_key:
            if kind not in ("single", "double") and not (shown.isidentifier() and text.startswith(":", at)):
                return None
            key = shown
        else:
            has_value = True
            if kind in ("typed", "number") or is_number(shown):
                span = token.span(kind)
