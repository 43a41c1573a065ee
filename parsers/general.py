"""The careful reader for programs that no format knows: a metric's word beside a number, in a line that
is made of such pairs, of positions (`epoch 3`, `[12/100]`) and of little else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from capture import bars
from capture.pairs import share
from capture.parsers import mappings, words
from capture.readers import ALONE, Memory
from capture.values import NUMBER, Value, number, si

LITERALS = words.LITERALS
LONGEST = 2000  # characters: a longer line is no line of metrics, unless it is a mapping

MOST_COUNTED = 64  # lengths of epochs that are told apart

_WORD = r"[A-Za-z_](?:\w|[/@^%]|[.'+-](?=\w))*(?:\([A-Za-z][\w:.-]{0,12}\))?"
_BOUND = r"(?![\w…]|[.:/-]\d|\.\.|\s?%\|)"
_BYTES = r"(?:[KMGT]i?B|[kKMGT]?bytes?)"
_RATE = r"(?:[a-zA-Z]+/(?:s|sec|second|it|step|batch|iter|gpu)|[a-zA-Z]*ps|dB|px|pts?|points?)"
_NO_PART_OF_NAME = re.compile(_RATE)  # the others may change from line to line: 900ms, 1.2s
_VALUE = (
    rf"(?P<value>{NUMBER}(?:[kKMGTB](?![\w/]))?)"
    rf"(?:\s?(?P<percent>%)|\s?(?P<unit>ns|us|µs|ms|s|secs?|seconds|{_BYTES}|{_RATE}))?{_BOUND}"
)
_NAME = re.compile(rf"(?P<name>{_WORD}(?: {{1,2}}{_WORD}){{0,5}})")
_EXPLICIT = re.compile(rf"['\"]?\s{{0,4}}(?::=|[:=])(?![:=])\s*{_VALUE}")
_SPACED = re.compile(rf"\s+(?:is\s+|of\s+)?{_VALUE}")
# Accuracy of the network on the 10000 test images: 55 %
_PHRASE = re.compile(
    rf"(?P<name>{_WORD} (?:of|on|for|over|after|in) [^:=|,;]{{1,80}}?)(?::|=| is)\s*{_VALUE}\s*$"
)
# Accuracy: 9850/10000 (98%)
_OUT_OF = re.compile(
    r"\s{0,2}[:=]?\s*(?P<hits>\d+)\s?/\s?(?P<all>\d+)(?!\d|/|\.\d)(?:\s*\(\s*[\d.]+\s?%\s*\))?"
)
# |  test_loss  |  0.55  |
_CELLS = re.compile(rf"\s*[|│┃]\s*(?P<name>{_WORD}(?: {_WORD}){{0,3}})\s*[|│┃]\s*{_VALUE}\s*[|│┃]\s*$")
# 7.3 (9.3)   0.53 ± 0.01   0.53 (best 0.5)
_SECOND = re.compile(
    rf"\s*(?:\(\s*(?P<avg>{NUMBER})(?P<avg_percent>\s?%)?\s*\)"
    rf"|(?:±|\+/-|\+-)\s*(?P<std>{NUMBER})(?P<std_percent>\s?%)?(?!\w)"
    rf"|\((?P<which>best|avg|mean|ema|std)\s?[:=]?\s*(?P<other>{NUMBER})(?P<other_percent>\s?%)?(?=[\s,)])[^()]*\))"
)
_STEPS = {  # words for a step, and which of two in one line is the run's
    "step": 5, "iter": 5, "iteration": 5, "it": 4, "update": 5, "timestep": 5, "frame": 3, "example": 3,
    "sample": 3, "episode": 6, "round": 4, "generation": 4, "gen": 4, "game": 4, "trial": 2, "tree": 4,
    "batch": 1, "minibatch": 1, "mini-batch": 1, "mb": 1,
}  # fmt: skip
_POSITION = re.compile(
    rf"(?i)(?P<best>best[ _-])?(?P<whole>(?:global|total|env|optimizer|train(?:ing)?|current)[ _-])?"
    rf"(?P<what>epoch|ep|fold|{'|'.join(sorted(_STEPS, key=len, reverse=True))})(?P<plural>s)?"
    r"(?:\([a-z]+\))?\s{0,8}(?:[:=#]|no\.?)?\s{0,8}[\[(]?\s{0,8}(?P<at>\d[\d,]*)(?P<part>\.\d+)?(?:\s{0,8}(?:/|of)\s{0,8}(?P<of>\d[\d,]*))?"
    r"(?:\s?\(\s?[\d.]+\s?%\s?\))?\s{0,8}[\])]?(?![\w%]|[.:/-]\d)"
)
_FRACTION = re.compile(
    r"(?P<open>[\[(]?)\s{0,8}(?P<at>\d[\d,]*)\s{0,8}/\s{0,8}(?P<of>\d[\d,]*)(?:\s?(?:batch|step|iter|it|epoch)[a-z]*)?"
    r"(?:\s*\(\s*[\d.]+\s?%\s*\))?\s{0,8}[\])]?(?![\w/%]|\.\d|\s?[KMGT]i?B)"
)
_COUNTED = re.compile(r"(?i)(?:after|at|@) (?P<at>\d[\d,]*) (?P<what>epoch|[a-z-]+?)s?(?![a-z])")
_LABEL = re.compile(r"\s*(?:[#(\[]?(?P<at>\d{1,9})[\])]?(?:\s?[:|,)]|(?<=[\])])|\t)(?=\s|$))")
_PAIR_OF_POSITIONS = re.compile(r"\s*\[(?P<epoch>\d+)(?:,\s*|\]\s?\[)(?P<at>\d+)(?:\s*/\s*(?P<of>\d+))?\s*\]")
_QUANTITY = re.compile(
    r"(?P<bare>[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    rf"(?P<unit>:\d[\d:.]*|\s?%|\s?(?:ns|us|µs|ms|s|secs?|seconds|m|mins?|minutes?|h|hrs?|hours?|d|days?|{_BYTES}|{_RATE})(?!\w))?"
)
_PLAIN_WORD = re.compile(_WORD)
_REPR = re.compile(
    rf"(?:tensor|Array|array|(?:np\.|numpy\.|jnp\.)?(?:float|int)\d+)\(\s*({NUMBER})(?:,[^()]{{0,80}}(?:\([^()]*\))?)?\s*\)"
)
_HEAD = re.compile(r"\s*(?:[=*#~-]{2,}>?|\*)(?=\s)")  # ==> epoch 3
_BAR = re.compile(r"\[[=#>. -]{5,}\]|\|?[▏▎▍▌▋▊▉█━╸╺─░▒▓]{2,}[ ╸╺]*\|?")  # [=====>    ]   |███▌     |
# Where another line begins: two that were printed at once.
_GLUED = re.compile(r"(?:/[\w.-]+){2,}:\d+:|\b\w*(?:Warning|Error|Exception):\s|Traceback \(")
# Sentences, commands and code that hold a metric's word beside a number, but tell of something else.
_NO = re.compile(
    r"(?i)(?<![a-z])(?:load|loaded|loading|resum\w+|restor\w+|defaults?|threshold|expected|should|must|cannot"
    r"|invalid|error in|deprecated|assert\w*|requires?|required|requirement|install\w*|download\w*|collecting"
    r"|usage|arguments?|options?|version|config\w*|hyper-?param\w*|settings?|float|double|int|const|let|var|def"
    r"|import|class|void|static|copyright|license|passed|failed|compil\w+|building|linking|namespace|assuming"
    r"|improved from|threads?|packets?|pid|uid|port|http|errors)(?![a-z_])"
    r"|(?<![\w-])--?[a-z][\w-]*[ =]|://|==|!=|->|=>|::|;\s*$|[{}<>\\`~]|\bself\.|\w\.[a-z_]+\(|\[\]"
    r"|\w\((?:[^()]*[ ,])?\w+\s?=|\w\(['\"]|['\"][\])]*,?\s*$|^\s{9,}['\"]"
    r"|^\s*(?:return|raise|if|for|while|def|else|elif|with|print)\b"
    r"|^\s*[$>+#] ?[a-z]|^[-+ ]\s{3,}\w+ = \S+$|^[-+]\s{2}"
    r"|^[d-][rwxsStT-]{9}|^\s*(?:\w+\.)*\w*(?:Error|Exception|Warning)(?!\w)(?!\s?[:=]?\s?[-+]?\.?\d)"
    r"|[\w.]+\.(?:py|sh|c|cc|cpp|h|rs|go|js|ts|yaml|yml|json|toml)\b"
)
# Words of a sentence that lead to a name.
_STOPS = re.compile(
    r"(?i)with|at|of|the|has|have|was|is|and|for|to|from|using|saved|saving|got|after|in|on|an?|its|by|as|achieved|reached"
)


@dataclass
class _Line:
    """What was found in a line."""

    epoch: float | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    rank: int = 0  # of the word that gave the step
    fold: int | None = None
    bar: str = ""
    fractions: list[tuple[int, int]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    section: str = ""
    best: int = words.NONE  # the clearest of the names
    words: int = 0  # that are part of nothing known
    numbers: int = 0

    @property
    def placed(self) -> bool:
        return self.epoch is not None or self.step is not None


def read(text: str, memory: Memory) -> Mapping[str, Value] | None:
    """The metrics of a line and where in the run it stands; None if it is no line of metrics."""
    mapping = text.find("{")
    if mapping >= 0 and ":" in text[mapping:]:
        line = _mapping(text, mapping)
    elif len(text) <= LONGEST:
        line = _pairs(text)
    else:
        return None
    if line is None or not line.metrics or line.best < words.WEAK:
        return None
    if line.best < words.CLEAR and not (line.placed and memory.get(ALONE, True)):
        return None
    return _place(line, memory)


def _mapping(text: str, start: int) -> _Line | None:
    """A line that ends in a mapping, after a few words and a position at most."""
    values = mappings.find(text, start)
    head = text[:start].rstrip(" :=-(")
    if not values or _NO.search(head) or len(head) > 80:
        return None
    if any(words.is_setting(name.rpartition("/")[2]) for name in values):
        return None
    line = _Line()
    _scan(head, line)
    if line.words > 4 or line.numbers:
        return None
    section = f"{line.section}/" if line.section else ""
    for name, value in mappings.numbers(values).items():
        what = name.lower().removeprefix("train/").removeprefix("global_").removeprefix("current_")
        if what in ("epoch", "epochs"):
            line.epoch = value
        elif what in _STEPS or what in ("steps", "iters", "iterations"):
            if what != "batch" or line.step is None:
                line.step = int(value) if abs(value) < 1e18 else None
        elif what not in ("timestamp", "time", "total_steps", "num_epochs", "max_steps", "total_epochs"):
            line.metrics[section + name] = value
            line.best = max(line.best, words.kind(name))
    return line


def _pairs(text: str) -> _Line | None:
    """A line of names and numbers."""
    head, bar = _HEAD.match(text), _BAR.search(text)
    text = _BAR.sub(" ", text[head.end() :] if head else text)
    text = _REPR.sub(r"\1", text) if "(" in text else text
    glued = _GLUED.search(text)
    if glued:
        text = text[: glued.start()]
    if _NO.search(text):
        return None
    line = _Line()
    cells = _CELLS.match(text)
    if cells:
        _keep(text, cells["name"], cells, line)
        return line
    _scan(text, line)
    if bar:
        counts = [line.step, *(at for at, _ in line.fractions), line.epoch if line.epochs else None]
        if next((count for count in counts if count is not None), None) == 0:  # nothing is done yet
            return None
        line.bar = "" if line.section else bars.label(bar.string[: bar.start()])
    if line.words > 5 + len(line.metrics) or line.numbers > 1 + len(line.metrics):
        return None
    return line


def _scan(text: str, line: _Line) -> None:
    """Find everything in the text, from left to right."""
    at = 0
    start = _PAIR_OF_POSITIONS.match(text)
    if start:
        line.epoch, line.step = int(start["epoch"]), int(start["at"])
        line.steps, line.rank, at = int(start["of"] or 0) or None, 1, start.end()
    else:
        start = _LABEL.match(text)
        if start:
            line.step, at = int(start["at"]), start.end()
    while at < len(text):
        character = text[at]
        before = text[at - 1] if at else " "
        end = 0
        if character.isalpha() or character == "_":
            end = (_position(text, at, line) if not before.isalnum() else 0) or _pair(text, at, line)
            if not end:
                word = _PLAIN_WORD.match(text, at)
                end = word.end() if word else at + 1
                if words.is_split(text[at:end]):
                    line.section = text[at:end]
                elif end - at > 1:
                    line.words += 1
        elif character.isdigit() or character in "[(@.+-":
            end = _number(text, at, line)
        elif character in "'\"":
            end = _pair(text, at + 1, line)
        at = end or at + 1
    if line.fractions:
        _fractions(line)


def _position(text: str, at: int, line: _Line) -> int:
    """Where a position ends that begins here; 0 if there is none."""
    found = _COUNTED.match(text, at) or _POSITION.match(text, at)
    if not found:
        return 0
    groups = found.groupdict()
    what, value = found["what"].lower(), int(found["at"].replace(",", ""))
    if what != "epoch" and what not in _STEPS and what not in ("ep", "fold"):
        return 0
    total = int(groups["of"].replace(",", "")) if groups.get("of") else None
    if groups.get("plural") and what == "epoch" and total is None:
        return 0
    if groups.get("best"):
        return found.end()
    if what == "fold":
        line.fold = value
    elif what in ("epoch", "ep"):
        line.epoch = float(f"{value}{groups['part']}") if groups.get("part") else value
        line.epochs = total
    elif groups.get("part"):
        return 0
    elif _STEPS[what] + 5 * bool(groups.get("whole")) > line.rank:
        line.step, line.steps, line.rank = value, total, _STEPS[what] + 5 * bool(groups.get("whole"))
    return found.end()


def _pair(text: str, at: int, line: _Line) -> int:
    """Where a name with its number ends that begins here; 0 if there is none."""
    phrase = _PHRASE.match(text, at)
    if phrase and words.kind(phrase["name"].partition(" ")[0]) == words.CLEAR:
        name = " ".join(re.sub(r"\b\d[\d,.]*\b", " ", phrase["name"].replace(":", " ")).split())
        counted = re.search(r"after (\d[\d,]*) ", phrase["name"])
        if counted:
            _position(text, at + counted.start(), line)
            name = name.partition(" after ")[0]
        return _keep(text, name, phrase, line)
    named = _NAME.match(text, at)
    if not named:
        return 0
    name = named["name"]
    explicit = _EXPLICIT.match(text, named.end())
    if explicit:
        return _keep(text, _last_words(name, line), explicit, line)
    parts = name.split(" ")
    whole = _OUT_OF.match(text, named.end())
    if whole and words.kind(parts[-1]) == words.CLEAR and 0 < int(whole["all"]) >= int(whole["hits"]):
        _add(_last_words(name, line), int(whole["hits"]) / int(whole["all"]), line)
        return whole.end()
    spaced = _SPACED.match(text, named.end())
    if spaced and (words.kind(parts[-1]) >= words.BESIDE or _stands_alone(text, at, spaced.end())):
        return _keep(text, _last_words(name, line), spaced, line)
    return 0


def _stands_alone(text: str, start: int, end: int) -> bool:
    return text[:start].rstrip(" ")[-1:] in tuple("|,;\t") and text[end:].lstrip(" ")[:1] in tuple("|,;\t")


def _last_words(name: str, line: _Line) -> str:
    """The name without the words of a sentence that leads to it."""
    parts = name.split()
    for index in range(len(parts) - 2, -1, -1):
        if _STOPS.fullmatch(parts[index]):
            line.words += index + 1
            parts = parts[index + 1 :]
            break
    if len(parts) > 4:
        line.words += len(parts) - 4
        parts = parts[-4:]
    return " ".join(parts)


def _keep(text: str, name: str, found: re.Match[str], line: _Line) -> int:
    """Take a pair, and the second number that may follow it; gives where it ends."""
    shown, unit = found["value"], found["unit"] or ""
    value = share(shown) if found["percent"] else si(shown)
    if unit in ("ns", "us", "µs", "ms", "s", "sec", "secs", "seconds") or unit.endswith(
        ("B", "bytes", "byte")
    ):
        name = name if name.endswith(unit) else f"{name}_{unit}"
    name = _add(name, value, line)
    second = _SECOND.match(text, found.end())
    if not second:
        return found.end()
    for group, label in (("avg", "avg"), ("std", "std"), ("other", second["which"])):
        if second[group]:
            percent = second[f"{group}_percent"]
            line.metrics[f"{name}/{label}"] = share(second[group]) if percent else number(second[group])
    return second.end()


def _add(name: str, value: float, line: _Line) -> str:
    """Keep a value under its full name: what stands under `val:` belongs to it."""
    kind = words.kind(name)
    first, _, rest = name.partition(" ")
    if words.is_split(first) and rest:
        line.section = first + " "
    elif kind >= words.WEAK and line.section and not any(map(words.is_split, re.split(r"[\W_]+", name))):
        name = line.section + name if line.section.endswith(" ") else f"{line.section}/{name}"
    line.best = max(line.best, kind)
    line.metrics[name] = value
    return name


def _number(text: str, at: int, line: _Line) -> int:
    """Where a fraction or another number ends that begins here; 0 if there is none."""
    fraction = _FRACTION.match(text, at)
    if fraction and 0 < int(fraction["of"].replace(",", "")) >= int(fraction["at"].replace(",", "")):
        line.fractions.append((int(fraction["at"].replace(",", "")), int(fraction["of"].replace(",", ""))))
        return fraction.end()
    counted = _COUNTED.match(text, at)
    if counted:
        return _position(text, at, line)
    quantity = _QUANTITY.match(text, at)
    if not quantity:
        return 0
    if not quantity["unit"]:
        line.numbers += 1
    return quantity.end()


def _fractions(line: _Line) -> None:
    """What no word names is the epoch and the step, or the step alone."""
    if line.step is None and line.epoch is None and len(line.fractions) > 1:
        (line.epoch, line.epochs), (line.step, line.steps) = line.fractions[:2]
    elif line.step is None:
        line.step, line.steps = line.fractions[0]
    elif line.epoch is None:
        line.epoch, line.epochs = line.fractions[0]


def _place(line: _Line, memory: Memory) -> dict[str, Value]:
    """The values with their place in the run: the line's own, or that of the line or heading before."""
    epoch: Value | None = line.epoch
    step: Value | None = line.step
    names = "\n".join(["", *sorted(line.metrics), ""])
    if line.placed:
        if epoch is None:
            epoch = memory.get("epoch")
        if line.steps and step is not None and isinstance(epoch, (int, float)):
            step = _counted_on(epoch, line, memory)
        given = ""
    else:
        epoch = memory.get("epoch")
        step = memory.get("step") if memory.get("stepped") == str(epoch) else None
        given = str(memory.get("given", "")) if memory.get("place") == f"{epoch} {step}" else ""
        if names in given:  # the same again without a place of its own: it has moved on
            epoch = step = None
    for name, value in (("epoch", epoch), ("step", step)):
        if value is None:
            memory.pop(name, None)
        else:
            memory[name] = value
    memory["stepped"], memory["place"] = str(epoch), f"{epoch} {step}"
    memory["given"] = (given + names)[-LONGEST:]
    place = {"epoch": epoch, "step": step, "fold": line.fold, "bar": line.bar or None}
    return {**line.metrics, **{name: value for name, value in place.items() if value is not None}}


def _counted_on(epoch: float, line: _Line, memory: Memory) -> int:
    """The step, counted through the run where it starts over in each epoch."""
    step, steps = line.step or 0, line.steps or 0
    first = memory.setdefault("first", epoch)
    if isinstance(first, str) or epoch < first:
        first = memory["first"] = epoch
    last = memory.get(f"last of {steps}")
    if line.rank == 1 or (isinstance(last, str) and _starts_over(last, epoch, step)):
        memory["starts over"] = 1
    if last is not None or len(memory) < MOST_COUNTED:
        memory[f"last of {steps}"] = f"{epoch} {step}"
    return step + int(epoch - first) * steps if "starts over" in memory else step


def _starts_over(last: str, epoch: float, step: int) -> bool:
    last_epoch, last_step = last.split(" ")
    return epoch > float(last_epoch) and step <= int(last_step)
