"""What stands in a line of an unknown program, and where: names with numbers, positions, and the rest."""

from __future__ import annotations

import re
from collections.abc import Callable

from capture.language.key_values import share
from capture.language.numbers import number, si
from capture.parsers import vocabulary
from capture.parsers.general import tokens
from capture.parsers.general.line import ScannedLine, Span


def scan(text: str) -> ScannedLine:
    """Everything in the text, found from left to right."""
    line, at = ScannedLine(), 0
    if start := tokens.TWO.match(text):
        line.places["epoch"] = _where(start, "epoch", _int)
        _step(start, tokens.EACH_EPOCH, line)
        at = start.end()
    elif start := tokens.LABEL.match(text):
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


def _where(found: re.Match[str], group: str | int, read: Callable[[str], float]) -> Span:
    return Span(*found.span(group), read)


def _is_ordered(text: str, at: Span, of: Span, line: ScannedLine) -> bool:
    if 0 < of.value(text) >= at.value(text):
        line.ordered.append((at, of))
        return True
    line.fickle = True
    return False


def _position(text: str, at: int, line: ScannedLine) -> int:
    """Where a position ends that begins here; 0 if there is none."""
    first = tokens.FIRST.match(text, at)
    word = first[0].lower() if first else ""
    if word in ("after", "at"):
        return _counted(text, at, line)
    if word not in tokens.PLACES and word not in tokens.WHOLE and word != "mini":
        return 0
    found = tokens.POSITION.match(text, at)
    if not found or (found["plural"] and found["what"].lower() in ("epoch", "ep") and not found["of"]):
        return 0
    what = found["what"].lower()
    if found["best"]:
        return found.end()
    if what in ("epoch", "ep"):
        end = found.end("part") if found["part"] else found.end("at")
        line.places["epoch"] = Span(found.start("at"), end, number)
        if found["of"]:
            line.places["epochs"] = _where(found, "of", _int)
    elif found["part"]:
        return 0
    elif what == "fold":
        line.places["fold"] = _where(found, "at", _int)
    else:
        _step(found, tokens.STEPS[what] + 5 * bool(found["whole"]), line)
    return found.end()


def _counted(text: str, at: int, line: ScannedLine) -> int:
    found = tokens.COUNTED.match(text, at)
    what = found["what"].lower() if found else ""
    if not found or (what not in tokens.STEPS and what != "epoch"):
        return 0
    if what == "epoch":
        line.places["epoch"] = _where(found, "at", _int)
    else:
        _step(found, tokens.STEPS[what], line)
    return found.end()


def _step(found: re.Match[str], weight: int, line: ScannedLine) -> None:
    if weight <= line.weight:
        return
    line.weight = weight
    line.places["step"] = _where(found, "at", _int)
    line.places.pop("steps", None)
    if found.groupdict().get("of"):
        line.places["steps"] = _where(found, "of", _int)


def _stray(text: str, at: int, line: ScannedLine) -> int:
    word = tokens.PLAIN.match(text, at)
    end = word.end() if word else at + 1
    if vocabulary.is_split(text[at:end]):
        line.section = text[at:end]
    elif end - at > 1:
        line.strays += 1
    return end


def pair(text: str, at: int, line: ScannedLine) -> int:
    """Where a name with its number ends that begins here; 0 if there is none."""
    named = tokens.NAME.match(text, at)
    if not named:
        return 0
    name, end = named[0], named.end()
    first, _, rest = name.partition(" ")
    many = rest or text.startswith(" (", end)
    if many and vocabulary.kind(first) >= vocabulary.WEAK and (phrase := tokens.PHRASE.match(text, at)):
        line.explicit = True
        return _phrase(text, at, phrase, line)
    if both := tokens.BOTH.match(text, at):
        return _both(text, both, line)
    if verb := tokens.VERB.search(name):
        name, end = name[: verb.start()], at + verb.start()
    if explicit := tokens.EXPLICIT.match(text, end):
        line.explicit = True
        if (
            vocabulary.is_split(name)
            and explicit["value"].isdigit()
            and tokens.OPENS_EPOCH.match(text, explicit.end())
        ):
            line.section, line.places["epoch"] = (
                name,
                _where(explicit, "value", _int),
            )  # Train: 3 [  50/1251 (  4%)]
            return explicit.end()
        if name in ("i", "t", "k") and explicit["value"].isdigit() and "step" not in line.places:
            line.places["step"] = _where(explicit, "value", _int)
            return explicit.end()
        if vocabulary.is_counter(name) and explicit["value"].isdigit():
            return explicit.end()
        return keep(text, _without_lead(name, line) + (explicit["note"] or ""), explicit, line)
    last = name.rpartition(" ")[2]
    ratio = tokens.OUT_OF.match(text, end) if vocabulary.kind(last) == vocabulary.CLEAR else None
    if ratio and _is_ordered(text, _where(ratio, "hits", _int), _where(ratio, "all", _int), line):
        _add(_without_lead(name, line), Span(ratio.start("hits"), ratio.end("all"), _ratio), line)
        return ratio.end()
    indexed = tokens.AT_STEP.match(text, end)
    if indexed and vocabulary.kind(name) == vocabulary.CLEAR:
        _step(indexed, tokens.EACH_EPOCH, line)
        return keep(text, _without_lead(name, line), indexed, line)
    spaced = tokens.SPACED.match(text, end)
    if spaced and (vocabulary.kind(last) >= vocabulary.BESIDE or _is_a_cell(text, at, spaced.end())):
        return keep(text, _without_lead(name, line), spaced, line, spaced=True)
    return 0


def _both(text: str, found: re.Match[str], line: ScannedLine) -> int:
    """Take two values under one name, each of another part of the data."""
    line.explicit = True
    for part, value in (("one", "first"), ("two", "second")):
        where = _where(found, value, share if found[f"{value}_percent"] else number)
        _add(f"{found[part]} {found['name']}", where, line)
    line.section = ""
    return found.end()


def _phrase(text: str, at: int, found: re.Match[str], line: ScannedLine) -> int:
    """Take a name that is many words: without its numbers, and without when it was."""
    name = tokens.PHRASE_END.sub("", text[at : found.start("value")])
    if when := tokens.WHEN.search(name):
        begin = at + when.end()
        if _counted(text, begin, line) or _position(text, text.index(" ", begin) + 1, line):
            name = name[: when.start()]
    return keep(text, " ".join(re.sub(r"\b\d[\d,.]*\b|:", " ", name).split()), found, line)


def _is_a_cell(text: str, start: int, end: int) -> bool:
    """Whether a name and its number stand between two signs that part pairs, or, of one word, at the end."""
    edges, after = ("|", ",", ";", "\t"), text[end:].strip(" ")
    last = not after and " " not in text[start:end].rsplit(maxsplit=1)[0]
    return text[:start].rstrip(" ").endswith(edges) and (last or after.startswith(edges))


def _without_lead(name: str, line: ScannedLine) -> str:
    """The name without the words of a sentence that lead to it."""
    parts = name.split()
    stops = [index for index, part in enumerate(parts[:-1]) if part.lower() in tokens.STOPS]
    start = max(stops[-1] + 1 if stops else 0, len(parts) - 4)
    line.strays += start
    return " ".join(parts[start:])


def keep(text: str, name: str, found: re.Match[str], line: ScannedLine, spaced: bool = False) -> int:
    """Take a pair, and the second number that may follow it; gives where they end."""
    shown, unit = found["value"], found["unit"] or ""
    measured = bool(unit) and not (unit == "dB" and vocabulary.in_decibels(name))  # no metric has a unit
    if tokens.SHORT_UNIT.fullmatch(unit) and not name.endswith(unit):
        name = f"{name}_{unit}"
    # `Press F1 3 times`, `error 1`, a column of names and versions
    doubtful = shown.isdigit() and (spaced or tokens.ERRORS.search(name) is not None)
    doubtful |= spaced and found[0].startswith("    ")
    doubts = vocabulary.CLEAR if measured else int(doubtful)
    name = _add(name, _where(found, "value", share if found["percent"] else si), line, doubts)
    second = tokens.SECOND.match(text, found.end())
    if not second:
        return found.end()
    for group, label in (("avg", "avg"), ("std", "std"), ("other", second["which"])):
        if second[group]:
            read = share if second[f"{group}_percent"] else number
            line.metrics[f"{name}/{label}"] = _where(second, group, read)
    return second.end()


def _add(name: str, where: Span, line: ScannedLine, doubts: int = 0) -> str:
    """Keep a value under its full name: what stands under `val:` belongs to it."""
    kind = vocabulary.kind(name) - doubts
    first, _, rest = name.partition(" ")
    if rest and vocabulary.is_split(first):
        if kind >= vocabulary.WEAK:
            line.section = first + " "
    elif kind >= vocabulary.WEAK and line.section and not vocabulary.names_split(name):
        name = line.section + name if line.section.endswith(" ") else f"{line.section}/{name}"
    line.clearest = max(line.clearest, kind, vocabulary.WEAK * vocabulary.is_learning_rate(name))
    line.metrics[name] = where
    return name


def _number(text: str, at: int, line: ScannedLine) -> int:
    """Where a fraction or another number ends that begins here; 0 if there is none."""
    fraction = tokens.FRACTION.match(text, at)
    if fraction and line.metrics and not (fraction["open"] and fraction[0][-1] in ")]"):
        fraction = None
    if fraction:
        counted = _where(fraction, "at", _int), _where(fraction, "of", _int)
        if _is_ordered(text, *counted, line):
            line.fractions.append(counted)
            return fraction.end()
    if line.metrics and (aside := tokens.ASIDE.match(text, at)):
        if vocabulary.is_split(aside[0].strip("[]")):  # [train] loss=0.5, [valid] loss=0.6
            return at + 1
        return aside.end()
    if epoch := tokens.NTH_EPOCH.match(text, at):
        line.places["epoch"] = _where(epoch, "at", _int)
        return epoch.end()
    if text[at] == "@":
        return _counted(text, at, line)
    quantity = tokens.QUANTITY.match(text, at)
    if not quantity:
        return 0
    line.numbers += not quantity["unit"]
    return quantity.end()


def _name_fractions(line: ScannedLine) -> None:
    """What no word names is the epoch and the step, or the step alone."""
    names = [name for name in ("epoch", "step") if name not in line.places]
    if len(names) == 2 and len(line.fractions) == 1:
        names = ["step"]
    for name, (at, of) in zip(names, line.fractions):
        line.places |= {name: at, f"{name}s": of}
