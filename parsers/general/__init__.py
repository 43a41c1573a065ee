"""The careful reader for programs that no parser knows.

It takes a line that has a metric's word beside a number and is made of such pairs, of positions
(`epoch 3`, `[12/100]`) and of little else; or that ends in a mapping of such pairs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from capture.language.numbers import NUMBER, Value, number
from capture.language.readers import Memory
from capture.parsers import vocabulary
from capture.parsers.general import mapping, scanner, tokens
from capture.parsers.general.line import ScannedLine, Span
from capture.parsers.general.progress import Progress
from capture.parsing import bars

LITERALS = vocabulary.LITERALS
LARGEST_STEP = 10**15
MOST_SHAPES = 1024  # of lines that are remembered
LONGEST = 1000  # characters: a longer line is no line of metrics, unless it is a mapping
MOST_STRAYS = 4  # words of nothing known beside one metric; a number counts as two
MOST_STRAYS_OF_ONE = 3  # the same where one name stands beside its number without a sign between them
LONGEST_HEAD = 80  # characters before a mapping

_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_DIGITS_OF_NAMES = re.compile(r"[A-Za-z_@^/%][.'+-]?\d[\w.@'+-]*")  # f1, mAP50-95, acc@5, top-1
_known: dict[tuple[bytes | str, ...], ScannedLine | None] = {}

_HEAD = re.compile(r"\s*(?:(?:\|\s)?>|[=*#~-]{2,}>?|\*|[-=]>|[→↳•])(?=\s)")  # ==> epoch 3   -> val_loss 0.7
_BAR = re.compile(r"\[[=#>. -]{5,}\]|\|?[▏▎▍▌▋▊▉█━╸╺─░▒▓]{2,}[ ╸╺]*\|?")  # [=====>    ]   |███▌     |
_SHORTENED = re.compile(r"(?i)\b(avg|val|max|min|std|tot)\. (?=[a-z])")
_TYPED = re.compile(  # tensor(0.53, grad_fn=<NllLossBackward0>)   np.float64(0.5)   =[0.5]
    rf"(?:tensor|Array|array|(?:np\.|numpy\.|jnp\.)?(?:float|int)\d+)"
    rf"\(\s*({NUMBER})(?:,[^()]{{0,80}}(?:\([^()]*\))?)?\s*\)|(?<==)\[\s*({NUMBER})\s*\]"
)
_FLOAT32 = re.compile(r"(?<=\d)f0(?!\w)")  # 0.5f0 of Julia
# |  test_loss  |  0.55  |
_CELLS = re.compile(
    rf"\s*[|│┃]\s*(?P<name>[A-Za-z_][\w/.@ -]{{0,60}}?)\s*[|│┃]\s*"
    rf"(?P<value>{NUMBER})\s?(?P<percent>%)?(?P<unit>)\s*[|│┃]\s*$"
)
# Where another line begins: two that were printed at once.
_GLUED = re.compile(r"(?:/[\w.-]+){2,}:\d+:|\b(?:\w*Warning|\w+(?:Error|Exception)):\s|Traceback \(")

# Sentences, commands, settings and code may hold a metric's word beside a number, too.
_OTHERS = """
load loaded loading default defaults threshold expected should must cannot invalid deprecated require
requires required requirement collecting usage option options argument arguments version settings setting
float double int const let var def import class void static copyright license passed failed building linking
namespace assuming improved packet packets pid uid port http errors hyperparameters
hyperparams
"""
_OTHER_WORDS = frozenset(_OTHERS.split())
_OTHER_STEMS = ("resum", "restor", "assert", "install", "download", "config", "compil")
_LETTERS = re.compile(r"[a-z]+(?![a-z_])")
_CODE = (" 0x", "://", "==", "!=", "->", "=>", "::", "{", "}", "<", ">", "\\", "`", "~", "self.", "[]")
_CALL = re.compile(r"\w\((?:[^()]*[ ,])?\w+\s?=|\w\(['\"]|\w\.[a-z_]+\(")
_WRAPPED = re.compile(r"(?:\w+\.)?(?:defaultdict\(<class '[\w.]+'>, |(?:OrderedDict|Counter|dict)\()$")
_METHOD = re.compile(r"\.\w+\(\s*$")
_COMMAND = re.compile(
    r"(?<![\w-])--?[a-z][\w-]*[ =]|;\s*$|['\"][\])]*,?\s*$"
    r"|\.(?:py|sh|c|cc|cpp|h|rs|go|js|ts|yaml|yml|json|toml|cfg|txt)\b"
)
_START = re.compile(
    r"\s*(?:return|raise|if|for|while|def|else|elif|with|print)\b|\s*[$>+#] ?[A-Za-z]|\s*[/~]\w"
    r"|wandb: |Step \d+/\d+ : [A-Z]|(?:PASS|FAIL|SKIP|ok|not ok)\b"
    r"|#\d+ (?:\[|\d)|\s{9,}['\"]|[d-][rwxsStT-]{9}"
    r"|[-+ ]\s{3,}\w+ = \S+$|\s*\d+ ?[|\t]\s{3,}\w+ = |[-+](?:\s{2}|[A-Za-z_])|\d+[:-][A-Za-z_]"
    r"|\s*(?:\w+\.)*\w*(?:Error|Exception|Warning)(?!\w)(?!\s?[:=]?\s?[-+]?\.?\d)"
)


def begin() -> Progress:
    """What is kept from line to line: nothing is known of the run yet."""
    return Progress()


def read(text: str, progress: Progress, memory: Memory, alone: bool) -> Mapping[str, Value] | None:
    """The metrics of a line and where in the run it stands; None if it is no line of metrics."""
    found = _found(text)
    if found is None:
        return None
    line, plain = found
    said = line.said(plain)
    if line.clearest < vocabulary.CLEAR and not (said.placed and alone):
        return None
    return {**said.metrics, **progress.place(said, memory)}


def _found(text: str) -> tuple[ScannedLine, str] | None:
    """What was found in the text, and the text without decoration that it stands in.

    A program prints the same few lines over and over: what was found in one is found in all that differ
    only in the digits of their numbers.
    """
    start = text.find("{")
    if start < 0 or ":" not in text[start:]:
        start = -1
    if len(text) > LONGEST:
        line = _mapping(text, start)[0] if start >= 0 else None
        return (line, text) if line else None
    shape = (text.encode("utf-8", "replace").translate(_ZEROS), *_DIGITS_OF_NAMES.findall(text))
    if shape in _known:
        known = _known[shape]
        if known is None:
            return None
        if known.fits(text):
            return known, text
    if start >= 0:
        plain, (line, fickle) = text, _mapping(text, start)
    else:
        plain, line, fickle = _pairs(text)
    if plain == text and not fickle:
        if len(_known) >= MOST_SHAPES:
            _known.clear()
        _known[shape] = line
    return (line, plain) if line else None


def _is_other(text: str) -> bool:
    """Whether the text is a sentence, a command, a setting or code."""
    return (
        any(sign in text for sign in _CODE)
        or any(
            word in _OTHER_WORDS or word.startswith(_OTHER_STEMS) for word in _LETTERS.findall(text.lower())
        )
        or _START.match(text) is not None
        or _COMMAND.search(text) is not None
        or ("(" in text and _CALL.search(text) is not None)
    )


def _mapping(text: str, start: int) -> tuple[ScannedLine | None, bool]:
    """What is found in a line that ends in a mapping, after few words or a position; whether digits told."""
    head = _WRAPPED.sub("", text[:start]).rstrip(" :=-(")
    if len(head) > LONGEST_HEAD or _is_other(head) or _METHOD.search(text, 0, start):
        return None, False
    spans = mapping.find(text, start)
    if not spans or any(vocabulary.is_setting(name.rpartition("/")[2]) for name in spans):
        return None, False
    line = scanner.scan(head)
    if line.strays > MOST_STRAYS or line.numbers:
        return None, line.fickle
    section = f"{line.section}/" if line.section else ""
    for name, span in spans.items():
        if span is None:
            continue
        what = name.lower().removeprefix("train/").removeprefix("global_").removeprefix("current_")
        weight = tokens.STEPS.get(what.removesuffix("s"))
        if what in ("epoch", "epochs"):
            line.places["epoch"] = Span(*span, number)
        elif weight is not None:
            if weight > line.weight:
                line.places["step"], line.weight = Span(*span, _whole), weight
        elif what not in ("timestamp", "time", "total_steps", "num_epochs", "max_steps", "total_epochs"):
            line.metrics[section + name] = Span(*span, number)
            line.clearest = max(line.clearest, vocabulary.kind(name))
    return (line if line.clearest >= vocabulary.WEAK else None), line.fickle


def _whole(shown: str) -> float:
    value = number(shown)
    return int(value) if abs(value) < LARGEST_STEP else math.nan


def _pairs(text: str) -> tuple[str, ScannedLine | None, bool]:
    """A line of names and numbers without decoration, what is found in it, and whether digits told."""
    head, bar = _HEAD.match(text), _BAR.search(text)
    plain = _BAR.sub(" ", text[head.end() :] if head else text)
    plain = _TYPED.sub(r"\1\2", plain)
    plain = _FLOAT32.sub("", plain)
    plain = _SHORTENED.sub(r"\1 ", plain)
    if glued := _GLUED.search(plain):
        plain = plain[: glued.start()]
    if _is_other(plain):
        return plain, None, False
    if cells := _CELLS.match(plain):
        line = ScannedLine()
        scanner.keep(plain, cells["name"], cells, line)
    else:
        line = scanner.scan(plain)
    single = len(line.metrics) == 1 and not line.explicit
    most = len(line.metrics) + (MOST_STRAYS_OF_ONE if single else MOST_STRAYS)
    if line.clearest < vocabulary.WEAK or line.strays + 2 * line.numbers > most:
        return plain, None, line.fickle
    if bar:
        counts = [line.places.get("step"), *(at for at, _ in line.fractions)]
        counts.append(line.places.get("epoch") if "epochs" in line.places else None)
        if next((where.value(plain) for where in counts if where), None) == 0:  # nothing is done yet
            return plain, None, True
        line.bar = "" if line.section else bars.label(text[: bar.start()])
    return plain, line, line.fickle
