"""What stands in a line of an unknown program, and where: names with numbers, positions, and the rest."""

from __future__ import annotations

import re
from collections.abc import Callable

from capture.pairs import share
from capture.parsers import words
from capture.parsers.found import Line, Where
from capture.values import NUMBER, number, si

_COUNT = r"\d[\d,]{0,14}"
_WORD = r"[A-Za-z_](?:\w|[/@^%]|[.'+-](?=\w))*(?:\([A-Za-z][\w:.-]{0,12}\))?"
_BYTES = r"(?:[KMGT]i?B|[kKMGT]?bytes?)"
_RATE = r"(?:[a-zA-Z]+/(?:s|sec|second|it|step|batch|iter|gpu)|[a-zA-Z]*ps|dBm?|px|pts?|points?"
_RATE += r"|[cmk]?m|k?g|[mk]?[WVA]|[kMG]?Hz|ppm)"
_TIME = r"(?:ns|us|µs|ms|s|secs?|seconds)"
# A number that goes on (a version, a date, a ratio, the edge of the terminal) is none.
_VALUE = (
    rf"(?P<value>{NUMBER}(?:[kKMGTB](?![\w/]))?)"
    rf"(?:\s?(?P<percent>%)(?!\|)|\s?(?P<unit>{_TIME}|{_BYTES}|{_RATE})(?!\s*[:=]))?"
    r"(?![\w…]|[.:/-]\d|\.[.A-Za-z]|-[A-Za-z]|\s?%\|)"
)
_NAME = re.compile(rf"{_WORD}(?: {{1,2}}(?!(?i:nan|inf|infinity)\b){_WORD}){{0,5}}")
_VERB = re.compile(r" (?:is|was|of)$")
_EXPLICIT = re.compile(rf"['\"]?(?P<note> \([A-Za-z][\w@. -]{{0,20}}\))?\s{{0,4}}:?[:=](?![:=])\s*{_VALUE}")
_SPACED = re.compile(rf"\s+(?:is\s+|was\s+|of\s+)?{_VALUE}")
# Accuracy of the network on the 10000 test images: 55 %   Loss after 100 steps: 0.5
_PHRASE = re.compile(
    rf"{_WORD} (?:\([^()]*\) )?(?:of|on|for|over|after|at|in) [^=|,;]{{1,80}}?(?::|=| is)\s*{_VALUE}"
    r"\s*[.!]?\s*$"
)
_PHRASE_END = re.compile(r"\s*(?::|=| is)\s*$")
_WHEN = re.compile(r" (?=(?:after|at) [\da-z])")
# Validation loss 15: 0.878570   Train loss 5 1.171202
_AT_STEP = re.compile(rf" (?P<at>{_COUNT}):?\s+(?=-?\d*\.\d|-?\d+e-|nan|inf){_VALUE}")
# Train / Test accuracy: 0.37 / 0.28   train/val loss: 0.5/0.6
_PART = r"(?i:train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)"
_BOTH = re.compile(
    rf"(?P<one>{_PART})\s?/\s?(?P<two>{_PART}) (?P<name>{_WORD}(?: {_WORD})?)\s?[:=]\s*"
    rf"(?P<first>{NUMBER})(?P<first_percent>\s?%)?\s?/\s?(?P<second>{NUMBER})(?P<second_percent>\s?%)?(?![\w/])"
)
# Accuracy: 9850/10000 (98%)
_OUT_OF = re.compile(
    rf"\s{{0,2}}[:=]?\s{{0,4}}(?P<hits>{_COUNT})\s?/\s?(?P<all>{_COUNT})(?![\d/]|\.\d)(?:\s*\(\s*[\d.]+\s?%\s*\))?"
)
# 7.3 (9.3)   0.53 ± 0.01   0.53 (best 0.5)
_SECOND = re.compile(
    rf"\s*(?:\(\s*(?P<avg>{NUMBER})(?P<avg_percent>\s?%)?\s*\)"
    rf"|\(?(?:±|\+/-|\+-)\s*(?P<std>{NUMBER})(?P<std_percent>\s?%)?(?!\w)\)?"
    rf"|\((?P<which>best|avg|mean|ema|std)\s?[:=]?\s*(?P<other>{NUMBER})(?P<other_percent>\s?%)?(?=[\s,)])[^()]*\))"
)
# Words for a step; where a line has several, the one with more weight counts the run's.
STEPS = {
    "step": 5, "iter": 5, "iteration": 5, "it": 4, "update": 5, "timestep": 5, "frame": 3, "example": 3,
    "sample": 3, "episode": 6, "round": 4, "generation": 4, "gen": 4, "game": 4, "trial": 2, "tree": 4,
    "batch": 1, "minibatch": 1, "mini-batch": 1, "mb": 1,
}  # fmt: skip
EACH_EPOCH = 1  # the weight of what starts over in each epoch
_WHOLE = ("global", "total", "env", "optimizer", "train", "training", "current", "num", "best")
_PLACES = frozenset([*STEPS, *(f"{word}s" for word in STEPS), "epoch", "epochs", "ep", "fold"])
_PERCENT = r"(?:\s?\(\s?[\d.]+\s?%\s?\))?"
_POSITION = re.compile(
    rf"(?i)(?P<best>best[ _-])?(?P<whole>(?:{'|'.join(_WHOLE[:-1])})[ _-])?"
    rf"(?P<what>epoch|ep|fold|{'|'.join(sorted(STEPS, key=len, reverse=True))})(?P<plural>s)?"
    r"(?:\([a-z]+\)|\.)?"
    rf"\s{{0,8}}(?:[:=#]|no\.?)?\s{{0,8}}[\[(]?\s{{0,8}}(?P<at>{_COUNT})(?P<part>\.\d{{1,12}})?"
    rf"(?:\s{{0,8}}(?:/|of)\s{{0,8}}(?P<of>{_COUNT}))?{_PERCENT}\s{{0,8}}[\])]?(?![\w%]|[.:/-]\d)"
)
_FRACTION = re.compile(
    rf"(?P<open>[\[(]?)\s{{0,8}}(?P<at>{_COUNT})\s{{0,8}}/\s{{0,8}}(?P<of>{_COUNT})"
    rf"(?:\s?(?:batch|step|iter|it|epoch)[a-z]*)?\s{{0,8}}{_PERCENT}\s{{0,8}}[\])]?(?![\w/%]|\.\d|\s?[KMGT]i?B)"
)
# after 6400 examples
_COUNTED = re.compile(rf"(?i)(?:after|at|@) (?P<at>{_COUNT}) (?P<what>[a-z-]+?)s?(?![a-z])")
# 12: loss   [12] loss   #12 loss
_LABEL = re.compile(
    r"\s*(?P<hash>#\s?)?[(\[]?(?P<at>\d{1,9})(?:[\])]?\s?[:|,](?=\s)|[\])](?=\s)|\t|(?(hash)\s|(?!)))"
)
# [1,  2000] loss   [1][100/600] loss
_TWO = re.compile(r"\s*\[(?P<epoch>\d{1,9})(?:,\s*|\]\s?\[)(?P<at>\d{1,12})(?:\s*/\s*(?P<of>\d{1,12}))?\s*\]")
_QUANTITY = re.compile(
    r"[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?:/[\d.]+)*"
    rf"(?P<unit>:\d[\d:.]*|\s?%|\s?(?:{_TIME}|m|mins?|minutes?|h|hrs?|hours?|d|days?|{_BYTES}|{_RATE})(?!\w))?"
)
_NTH_EPOCH = re.compile(rf"(?P<at>{_COUNT})(?:st|nd|rd|th)?[ -]?(?i:epoch)(?![a-z])")  # 3epoch:train:
_ASIDE = re.compile(
    r"\[[^\[\]:=]{0,60}\]|\(\*[^()]*\)"
)  # WER 12.3 [ 100 / 812, 10 ins ]   loss = 0.5 (* 1 = 0.5)
_FIRST = re.compile(r"[A-Za-z]+")
_PLAIN = re.compile(_WORD)
_OPENS_EPOCH = re.compile(r" \[\s*\d+/")
_SHORT_UNIT = re.compile(rf"{_TIME}|{_BYTES}")  # those that change from line to line: 900ms, 1.2s
_ERRORS = re.compile(r"(?i)(?<![a-z])err(?:or)?(?![a-z])")
# Words of a sentence that lead to a name.
_LEAD = """
with at of the has have was is and for to from using saved saving got after in on a an its by as achieved
reached
"""
_STOPS = frozenset(_LEAD.split())


def scan(text: str) -> Line:
    """Everything in the text, found from left to right."""
    line, at = Line(), 0
    if start := _TWO.match(text):
        line.places["epoch"] = _where(start, "epoch", _int)
        _step(start, EACH_EPOCH, line)
        at = start.end()
    elif start := _LABEL.match(text):
        line.places["step"] = _where(start, "at", _int)
        at = start.end()
    while at < len(text):
        character = text[at]
        if character.isalpha() or character == "_":
            at = _position(text, at, line) or pair(text, at, line) or _stray(text, at, line)
        elif character in "0123456789[(@.+-":
            at = _number(text, at, line) or at + 1
        else:
            at += 1
    if start and "epoch" in line.places and start[0].endswith(":") and not line.weight:
        del line.places["step"]  # `1: epoch 3 loss 0.5`: perhaps a rank
    if line.fractions:
        _name_fractions(line)
    return line


def _int(shown: str) -> int:
    return int(shown.replace(",", ""))


def _ratio(shown: str) -> float:
    hits, _, total = shown.partition("/")
    return _int(hits) / _int(total)


def _where(found: re.Match[str], group: str | int, read: Callable[[str], float]) -> Where:
    return Where(*found.span(group), read)


def _is_ordered(text: str, at: Where, of: Where, line: Line) -> bool:
    if 0 < of.value(text) >= at.value(text):
        line.ordered.append((at, of))
        return True
    line.fickle = True
    return False


def _position(text: str, at: int, line: Line) -> int:
    """Where a position ends that begins here; 0 if there is none."""
    first = _FIRST.match(text, at)
    word = first[0].lower() if first else ""
    if word in ("after", "at"):
        return _counted(text, at, line)
    if word not in _PLACES and word not in _WHOLE and word != "mini":
        return 0
    found = _POSITION.match(text, at)
    if not found or (found["plural"] and found["what"].lower() in ("epoch", "ep") and not found["of"]):
        return 0
    what = found["what"].lower()
    if found["best"]:
        return found.end()
    if what in ("epoch", "ep"):
        end = found.end("part") if found["part"] else found.end("at")
        line.places["epoch"] = Where(found.start("at"), end, number)
        if found["of"]:
            line.places["epochs"] = _where(found, "of", _int)
    elif found["part"]:
        return 0
    elif what == "fold":
        line.places["fold"] = _where(found, "at", _int)
    else:
        _step(found, STEPS[what] + 5 * bool(found["whole"]), line)
    return found.end()


def _counted(text: str, at: int, line: Line) -> int:
    found = _COUNTED.match(text, at)
    what = found["what"].lower() if found else ""
    if not found or (what not in STEPS and what != "epoch"):
        return 0
    if what == "epoch":
        line.places["epoch"] = _where(found, "at", _int)
    else:
        _step(found, STEPS[what], line)
    return found.end()


def _step(found: re.Match[str], weight: int, line: Line) -> None:
    if weight <= line.weight:
        return
    line.weight = weight
    line.places["step"] = _where(found, "at", _int)
    line.places.pop("steps", None)
    if found.groupdict().get("of"):
        line.places["steps"] = _where(found, "of", _int)


def _stray(text: str, at: int, line: Line) -> int:
    word = _PLAIN.match(text, at)
    end = word.end() if word else at + 1
    if words.is_split(text[at:end]):
        line.section = text[at:end]
    elif end - at > 1:
        line.strays += 1
    return end


def pair(text: str, at: int, line: Line) -> int:
    """Where a name with its number ends that begins here; 0 if there is none."""
    named = _NAME.match(text, at)
    if not named:
        return 0
    name, end = named[0], named.end()
    first, _, rest = name.partition(" ")
    many = rest or text.startswith(" (", end)
    if many and words.kind(first) >= words.WEAK and (phrase := _PHRASE.match(text, at)):
        line.explicit = True
        return _phrase(text, at, phrase, line)
    if both := _BOTH.match(text, at):
        return _both(text, both, line)
    if verb := _VERB.search(name):
        name, end = name[: verb.start()], at + verb.start()
    if explicit := _EXPLICIT.match(text, end):
        line.explicit = True
        if words.is_split(name) and explicit["value"].isdigit() and _OPENS_EPOCH.match(text, explicit.end()):
            line.section, line.places["epoch"] = (
                name,
                _where(explicit, "value", _int),
            )  # Train: 3 [  50/1251 (  4%)]
            return explicit.end()
        if name in ("i", "t", "k") and explicit["value"].isdigit() and "step" not in line.places:
            line.places["step"] = _where(explicit, "value", _int)
            return explicit.end()
        if words.is_counter(name) and explicit["value"].isdigit():
            return explicit.end()
        return keep(text, _without_lead(name, line) + (explicit["note"] or ""), explicit, line)
    last = name.rpartition(" ")[2]
    ratio = _OUT_OF.match(text, end) if words.kind(last) == words.CLEAR else None
    if ratio and _is_ordered(text, _where(ratio, "hits", _int), _where(ratio, "all", _int), line):
        _add(_without_lead(name, line), Where(ratio.start("hits"), ratio.end("all"), _ratio), line)
        return ratio.end()
    indexed = _AT_STEP.match(text, end)
    if indexed and words.kind(name) == words.CLEAR:
        _step(indexed, EACH_EPOCH, line)
        return keep(text, _without_lead(name, line), indexed, line)
    spaced = _SPACED.match(text, end)
    if spaced and (words.kind(last) >= words.BESIDE or _is_a_cell(text, at, spaced.end())):
        return keep(text, _without_lead(name, line), spaced, line, spaced=True)
    return 0


def _both(text: str, found: re.Match[str], line: Line) -> int:
    """Take two values under one name, each of another part of the data."""
    line.explicit = True
    for part, value in (("one", "first"), ("two", "second")):
        where = _where(found, value, share if found[f"{value}_percent"] else number)
        _add(f"{found[part]} {found['name']}", where, line)
    line.section = ""
    return found.end()


def _phrase(text: str, at: int, found: re.Match[str], line: Line) -> int:
    """Take a name that is many words: without its numbers, and without when it was."""
    name = _PHRASE_END.sub("", text[at : found.start("value")])
    if when := _WHEN.search(name):
        begin = at + when.end()
        if _counted(text, begin, line) or _position(text, text.index(" ", begin) + 1, line):
            name = name[: when.start()]
    return keep(text, " ".join(re.sub(r"\b\d[\d,.]*\b|:", " ", name).split()), found, line)


def _is_a_cell(text: str, start: int, end: int) -> bool:
    """Whether a name and its number stand between two signs that part pairs, or, of one word, at the end."""
    edges, after = ("|", ",", ";", "\t"), text[end:].strip(" ")
    last = not after and " " not in text[start:end].rsplit(maxsplit=1)[0]
    return text[:start].rstrip(" ").endswith(edges) and (last or after.startswith(edges))


def _without_lead(name: str, line: Line) -> str:
    """The name without the words of a sentence that lead to it."""
    parts = name.split()
    stops = [index for index, part in enumerate(parts[:-1]) if part.lower() in _STOPS]
    start = max(stops[-1] + 1 if stops else 0, len(parts) - 4)
    line.strays += start
    return " ".join(parts[start:])


def keep(text: str, name: str, found: re.Match[str], line: Line, spaced: bool = False) -> int:
    """Take a pair, and the second number that may follow it; gives where they end."""
    shown, unit = found["value"], found["unit"] or ""
    measured = bool(unit) and not (unit == "dB" and words.in_decibels(name))  # no metric has a unit
    if _SHORT_UNIT.fullmatch(unit) and not name.endswith(unit):
        name = f"{name}_{unit}"
    # `Press F1 3 times`, `error 1`, a column of names and versions
    doubtful = shown.isdigit() and (spaced or _ERRORS.search(name) is not None)
    doubtful |= spaced and found[0].startswith("    ")
    doubts = words.CLEAR if measured else int(doubtful)
    name = _add(name, _where(found, "value", share if found["percent"] else si), line, doubts)
    second = _SECOND.match(text, found.end())
    if not second:
        return found.end()
    for group, label in (("avg", "avg"), ("std", "std"), ("other", second["which"])):
        if second[group]:
            read = share if second[f"{group}_percent"] else number
            line.metrics[f"{name}/{label}"] = _where(second, group, read)
    return second.end()


def _add(name: str, where: Where, line: Line, doubts: int = 0) -> str:
    """Keep a value under its full name: what stands under `val:` belongs to it."""
    kind = words.kind(name) - doubts
    first, _, rest = name.partition(" ")
    if rest and words.is_split(first):
        if kind >= words.WEAK:
            line.section = first + " "
    elif kind >= words.WEAK and line.section and not words.names_split(name):
        name = line.section + name if line.section.endswith(" ") else f"{line.section}/{name}"
    line.clearest = max(line.clearest, kind, words.WEAK * words.is_learning_rate(name))
    line.metrics[name] = where
    return name


def _number(text: str, at: int, line: Line) -> int:
    """Where a fraction or another number ends that begins here; 0 if there is none."""
    fraction = _FRACTION.match(text, at)
    if fraction and line.metrics and not (fraction["open"] and fraction[0][-1] in ")]"):
        fraction = None
    if fraction:
        counted = _where(fraction, "at", _int), _where(fraction, "of", _int)
        if _is_ordered(text, *counted, line):
            line.fractions.append(counted)
            return fraction.end()
    if line.metrics and (aside := _ASIDE.match(text, at)):
        if words.is_split(aside[0].strip("[]")):  # [train] loss=0.5, [valid] loss=0.6
            return at + 1
        return aside.end()
    if epoch := _NTH_EPOCH.match(text, at):
        line.places["epoch"] = _where(epoch, "at", _int)
        return epoch.end()
    if text[at] == "@":
        return _counted(text, at, line)
    quantity = _QUANTITY.match(text, at)
    if not quantity:
        return 0
    line.numbers += not quantity["unit"]
    return quantity.end()


def _name_fractions(line: Line) -> None:
    """What no word names is the epoch and the step, or the step alone."""
    names = [name for name in ("epoch", "step") if name not in line.places]
    if len(names) == 2 and len(line.fractions) == 1:
        names = ["step"]
    for name, (at, of) in zip(names, line.fractions):
        line.places |= {name: at, f"{name}s": of}
