"""The configuration that programs print: objects, and lists of names with values.

Where a heading names it (`Namespace(...)`, `Hyperparameters:`) anywhere; elsewhere only among a
stream's first lines, and only where several names are those of hyperparameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from capture.language.literals import literal
from capture.language.numbers import SI, is_number, si
from capture.language.patterns import Match
from capture.language.tables import NOT_RECOGNISED, RECOGNISED, LineResult
from capture.parsers import vocabulary
from capture.parsers.printed_config import objects
from capture.parsers.vocabulary import Clarity

FIRST_LINES = 1000  # of a stream: a configuration without a heading is printed before the training begins
MOST_LINES = 2000  # of one object
MOST_CHARACTERS = 64 * 1024
LONGEST_VALUE, MOST_WORDS = 200, 8  # in characters and words: what is longer is a sentence
LONGEST_UNNAMED = 80  # the same, without a heading
ROWS_NAMED, ROWS_UNNAMED = 2, 3  # that make a list, with a heading and without
HYPERPARAMETERS = 2  # of them, without a heading ...
CERTAINLY = 4  # ... and from so many on, a `batch` among them is no position

_OBJECTS = ("Namespace", "Arguments", "Args", "Config", "Params", "Options", "Settings")
_HEADINGS = ("onfig", "CONFIG", "onfiguration", "rguments", "args", "ARGS", "arameters", "arams", "ettings")
LITERALS = frozenset(
    [
        *(f"{name}(" for name in _OBJECTS),
        *(f"{name}{sign}" for name in _HEADINGS for sign in (":", " {")),
        *("arams (", "arams =", "arameters =", "arguments ---"),
        "Running training",
    ]
)

_WORD = (
    r"(?:hyper[- ]?param(?:eter)?s?|h?params|parameters|config(?:uration)?s?|arguments|args|cfg|options"
    r"|settings|flags)"
)
# Hyperparameters:   ====== Model config ======   Training configuration   Arguments passed to the program:
_LEAD = r"(?!(?:end|best|optimal|final|tuned|the|positional|optional|required)\b)(?:[a-z][\w./'-]*[ ])"
_HEADING = re.compile(
    rf"(?i)(?!\s*options:?\s*$)[\W_]*(?:{_LEAD}{{0,4}}{_WORD}(?:[ ][\w./'-]+){{0,4}}\s?[:=]"
    rf"|(?<=[^\w\s][ \W]){_LEAD}{{0,4}}{_WORD}|{_LEAD}{{0,2}}{_WORD}|running training)[^\w.]*"
)
_BEFORE_OBJECT = re.compile(
    rf"(?i)[\W_]*{_LEAD}{{0,4}}{_WORD}(?:[ ][\w./'-]+){{0,4}}\s?[:=]?\s*"
)  # Model config BertConfig {
_CLASS = re.compile(r"(?:.{0,80}[\s:=(])?(?P<name>[A-Za-z_][\w.]*)")
_OF_CONFIG = re.compile(
    r"(?i).*(?:namespace|args|arguments|config(?:uration)?|cfg|h?params|parameters|options|opts?|settings|flags)"
)
_KEY = r"[A-Za-z_][\w./-]*(?: [A-Za-z_&][\w./-]*){0,6}"
_ROW = re.compile(
    rf"(?P<indent>[\s│|┃]*)(?P<quote>['\"]?)(?P<key>{_KEY})(?P=quote)(?:\s?\([^()]*\))?"
    r"(?:\s*(?:[:=](?![:=/\\])|\.{3,})\s*|\s*[|│┃]\s*|\s{2,})(?P<value>(?!\s*--?[a-z]).*?)[\s│|┃]*"
)
_COLUMNS = re.compile(
    r"(?i)\W*(?:option|name|key|param(?:eter)?|argument|setting)s?\W+values?\W*"
)  # a table's header
_ITEM = re.compile(r"\s*- (?P<value>[^:]+|.*\S:\S.*)")
# A line that may have another one below it in the same object, and one that may follow any other.
_UNFINISHED = re.compile(r"[,(\[{:=]\s*$")
_CONTINUES = re.compile(r"\s*[)\]}'\"]")
_RULER = re.compile(r"[\W_]*")
_LIST = re.compile(
    r"(?:[\w/ -]{1,40}:\s+|(?:[A-Za-z]+ ){1,4}(?=\w+=))?"
    r"(?P<list>[A-Za-z_](?:[\w.]| (?=\w+\s?[:=]))*\s?[=:]\s?[^\s=].*)"
)
# number of parameters: 15.19M   #params: 15.2M   Trainable params: 643 (2.5 KB)
_COUNT = re.compile(
    rf"[\W_]*(?:of )?(?P<key>(?i:(?:(?:total|number of|num|model|all|trainable|non-trainable|learnable) )"
    rf"{{0,3}}(?:num_|n_|total_)?(?:params|parameters)))(?:\s?\((?P<unit>[kKMB])\))?\s?[:=]\s*(?P<value>{SI})"
    r"(?:\s\(.*\)|\s?(?:params|parameters))?\s*"
)
_BETWEEN = re.compile(r"\s*[|;]\s*|,?\s+(?=[A-Za-z_][\w.]*=)")
_POSITION = frozenset(
    ["epoch", "step", "global_step", "iteration", "iter", "batch", "round", "episode", "trial"]
)


@dataclass
class OpenConfig:
    """What is being read on a stream."""

    left: int = 0  # lines that belong to the stream's beginning
    named: bool = False  # under a heading
    sure: bool = False  # enough rows were seen
    rows: objects.Pairs = field(default_factory=list)  # of which it is not yet certain that they are config
    parents: list[tuple[int, str]] = field(default_factory=list)  # keys that have rows below, by their indent
    items: list[str] = field(default_factory=list)  # of the last of them
    first: tuple[int, int] | None = None  # where the first row begins, and its value
    text: str = ""  # of an object that goes on
    depth: int = 0  # of its brackets
    lines: int = 0
    key: str = ""  # whose value it is

    def rest(self) -> OpenConfig | None:
        """What is open once the list or the object has ended."""
        return OpenConfig(self.left) if self.left else None


def begin() -> OpenConfig:
    """What is open at a stream's beginning."""
    return OpenConfig(FIRST_LINES)


def read_next(
    text: str, final: bool, opened: OpenConfig | None, timeout: float | None
) -> tuple[OpenConfig | None, LineResult]:
    """What the line is, and what is open afterwards."""
    if not final:
        return opened, NOT_RECOGNISED
    state = opened or OpenConfig()
    state.left = max(0, state.left - 1)
    if state.text:
        return _go_on(text, state)
    if _RULER.fullmatch(text) and text.strip() != "{":
        if not text.strip() and (state.rows or state.sure) and not state.named:
            return state.rest(), NOT_RECOGNISED
        return (state if state.named or state.left else None), NOT_RECOGNISED
    return (
        _object(text, state)
        or _count(text, state)
        or (None if state.named else _heading(text, state))  # in a list `options:` has rows below
        or _row(text, state)
        or _listed(text, state)
        or _heading(text, state)
        or (state.rest(), NOT_RECOGNISED)
    )


def _go_on(text: str, state: OpenConfig) -> tuple[OpenConfig | None, LineResult]:
    """One more line of an object."""
    broken = not _UNFINISHED.search(state.text) and not _CONTINUES.match(text)
    state.text += "\n" + text
    state.depth += objects.open_brackets(text)
    state.lines += 1
    if broken or state.lines > MOST_LINES or len(state.text) > MOST_CHARACTERS:
        return state.rest(), NOT_RECOGNISED
    if state.depth > 0:
        return _kept(state)
    found = objects.entry(state.key, state.text.strip()) if state.key else objects.pairs(state.text)
    if not state.named and not _are_hyperparameters(found):
        return state.rest(), NOT_RECOGNISED
    if not state.key:
        return state.rest(), _config(found, whole=True)
    more = replace(state, text="", key="", rows=[], sure=True)  # a list of assignments goes on
    return more, _config(state.rows + found, whole=True)


def _object(text: str, state: OpenConfig) -> tuple[OpenConfig | None, LineResult] | None:
    """An object that begins in this line."""
    starts = [at for at in (text.find("("), text.find("{")) if at >= 0]
    if not starts:
        return None
    start = min(starts)
    head = text[:start]
    called = _CLASS.fullmatch(head)
    if text[start] == "(":
        if not called or not _OF_CONFIG.fullmatch(called["name"]):
            return None
        named, shown = True, text[called.start("name") :]
    else:
        named = _BEFORE_OBJECT.fullmatch(head) is not None
        if not named and (head.strip() or not state.left):
            return None
        shown = text[start:]
    depth = objects.open_brackets(shown)
    if depth > 0:
        return _kept(OpenConfig(state.left, named, text=shown, depth=depth))
    found = objects.pairs(shown.rstrip(" .;,"))
    if not found or not (named or _are_hyperparameters(found)):
        return None
    return state.rest(), _config(found)


def _count(text: str, state: OpenConfig) -> tuple[OpenConfig | None, LineResult] | None:
    """How many parameters a model has: a line of its own, or in a list."""
    count = _COUNT.fullmatch(text)
    if not count:
        return None
    value = si(count["value"] + (count["unit"] or ""))
    return state if state.named or state.left else None, _config([(count["key"], str(value))])


def _row(text: str, state: OpenConfig) -> tuple[OpenConfig | None, LineResult] | None:
    """A row of a list: a name and its value, or a name with rows below."""
    if not (state.named or state.left):
        return None
    if state.parents and (item := _ITEM.fullmatch(text)):
        state.items.append(repr(literal(item["value"])))
        return _known(state, [(state.parents[-1][1], f"[{', '.join(state.items)}]")])
    row = _ROW.fullmatch(text)
    strict = not (state.named or state.sure)
    if not row or _is_metric(row["key"], row["value"], strict) or _COLUMNS.fullmatch(row[0]):
        return None
    indent, value = len(row["indent"]), row["value"]
    if not state.named and (" " in row["key"] or not _is_plain(value)):
        return None
    depth = objects.open_brackets(value)
    if depth <= 0 and (len(value) > LONGEST_VALUE or len(value.split()) > MOST_WORDS):
        return None
    column = max(row.start("value"), 0) or len(text)
    state.first = state.first or (indent, column)
    if indent < state.first[0] and column != state.first[1]:  # names at the right end at one column
        return _row(text, OpenConfig(state.left))
    while state.parents and state.parents[-1][0] >= indent:
        state.parents.pop()
    state.items = []
    name = ".".join([*(key for _, key in state.parents[-1:]), plain(row["key"])])
    if not value:
        state.parents.append((indent, name))
        return _kept(state)
    if depth > 0:
        return _kept(replace(state, text=value, depth=depth, lines=0, key=name))
    return _known(state, objects.entry(name, value))


def _known(state: OpenConfig, found: objects.Pairs) -> tuple[OpenConfig | None, LineResult]:
    """Rows of a list: kept back until there are enough to tell that it is one."""
    if state.sure:
        return state, _config(found)
    state.rows += found
    least = ROWS_NAMED if state.named else ROWS_UNNAMED
    if len(state.rows) < least or not (state.named or _are_hyperparameters(state.rows)):
        return _kept(state)
    rows, state.rows, state.sure = state.rows, [], True
    return state, _config(rows)


def _listed(text: str, state: OpenConfig) -> tuple[OpenConfig | None, LineResult] | None:
    """A line that is a list: `lr0=0.01, lrf=0.01, batch=16`."""
    if not state.left or text.count("=") + text.count(":") < ROWS_UNNAMED:
        return None
    line = _LIST.fullmatch(text.strip())
    if not line:
        return None
    found = objects.pairs(line["list"])
    if len(found) < ROWS_UNNAMED:
        found = objects.pairs(_BETWEEN.sub(", ", line["list"]))
    if len(found) < ROWS_UNNAMED or not _are_hyperparameters(found):
        return None
    return state.rest(), _config(found)


def _kept(state: OpenConfig) -> tuple[OpenConfig | None, LineResult]:
    """A line that is kept back; without a heading other parsers may know it."""
    return state, RECOGNISED if state.named or state.sure else NOT_RECOGNISED


def _heading(text: str, state: OpenConfig) -> tuple[OpenConfig | None, LineResult] | None:
    """A heading of what follows."""
    return (OpenConfig(state.left, named=True), RECOGNISED) if _HEADING.fullmatch(text) else None


def _config(found: objects.Pairs, whole: bool = False) -> LineResult:
    return LineResult(True, Match({}, [(plain(name), value) for name, value in found]), whole)


def plain(key: str) -> str:
    """A name as programs write it: `Learning rate` is learning_rate."""
    key = key.strip()
    return re.sub(r"[^\w.]+", "_", key.lower()).strip("_") if re.search(r"[^\w./]", key) else key


def _are_hyperparameters(found: objects.Pairs) -> bool:
    """Whether these are hyperparameters, and tell nothing of how it goes."""
    count = sum(vocabulary.is_hyperparameter(plain(name.rpartition(".")[2])) for name, _ in found)
    strict = count < CERTAINLY
    return count >= HYPERPARAMETERS and not any(_is_metric(name, value, strict) for name, value in found)


def _is_metric(name: str, value: str, strict: bool) -> bool:
    """Whether this says how well it goes, or how far it is."""
    if not is_number(value.strip().rstrip("%")):
        return False
    if strict and plain(name).lower() in _POSITION:
        return True
    if vocabulary.is_hyperparameter(plain(name)):
        return False
    return vocabulary.clarity(name) >= (Clarity.WEAK if strict else Clarity.CLEAR)


def _is_plain(value: str) -> bool:
    """Whether this may be a value in a list without a heading: no sentence."""
    return len(value) <= LONGEST_UNNAMED and (value[:1] in "[({'\"" or len(value.split()) <= 2)
