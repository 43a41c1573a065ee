"""Positions: words and numbers that say how far the run is, `epoch 3`, `[12/100]`, `after 6400 examples`.

A recogniser takes a line's text, where to look, and what was found before, to which it adds.  It returns
where the position ends that begins there, 0 if it recognises none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from capture.language.numbers import number
from capture.parsers import languages, vocabulary
from capture.parsers.general.line import ScannedLine, Span, recognise
from capture.parsers.general.tokens import COUNT, EACH_EPOCH, EPISODES, OF_RUN, PERCENT, STEP_PRIORITY, count

_EPOCH_WORDS = ("epoch", "epch", "ep", *languages.EPOCHS)
_OF_RUN_WORDS = [
    "global", "total", "env", "optimizer", "train", "training", "current", "num",
    "completed", "finished", "learning", "optimization",
]  # fmt: skip


def _counted_by(words: Iterable[str], before: str = "") -> re.Pattern[str]:
    """One of the words with its number: `epoch 3/10`, `Step [100/600]`, `iter-7`, `total steps=12`."""
    longest_first = "|".join(sorted(words, key=len, reverse=True))
    return re.compile(
        rf"(?i){before}(?P<of_run>(?:{'|'.join(_OF_RUN_WORDS)})[ _-]|n_?(?=[a-z]+s))?"
        rf"(?P<word>{longest_first})(?P<plural>s)?(?:\([a-z]+\)|\.{{1,3}})?"
        rf"(?:[-_](?=\d)|\s{{0,8}}(?:#:|[:=#]|no\.?)?\s{{0,8}}[\[(]?\s{{0,8}})(?P<at>{COUNT})(?P<decimals>\.\d{{1,12}})?"
        rf"(?:\s{{0,8}}(?:/|of)\s{{0,8}}(?P<of>{COUNT})(?:/\d{{1,12}})?)?{PERCENT}\s{{0,8}}[\])]?(?![\w%]|[.:/-]\d)"
    )


_BEST = _counted_by(["fold", *_EPOCH_WORDS, *STEP_PRIORITY], before="best[ _-]")
_EPOCH = _counted_by(_EPOCH_WORDS)
_FOLD = _counted_by(["fold"])
_STEP = _counted_by(STEP_PRIORITY)
_AFTER = re.compile(rf"(?i)(?:after|at|@|in(?= \S+ episode)) (?P<at>{COUNT}) (?P<word>[a-z-]+?)s?(?![a-z])")
_FRACTION = re.compile(
    rf"(?P<open>[\[(]?)\s{{0,8}}(?P<at>{COUNT})\s{{0,8}}/\s{{0,8}}(?P<of>{COUNT})"
    rf"(?:\s?(?:batch|step|iter|it|epoch)[a-z]*)?\s{{0,8}}{PERCENT}\s{{0,8}}[\])]?(?![\w/%]|\.\d|\s?[KMGT]i?B)"
)
_BEST_BEFORE = re.compile(r"(?i)\bbest\b.*(?:\b(?:at|from|in|of)\s|@)\s?$")
_VALUE_BEFORE = re.compile(r"=\s?[\[(]?$")
_NTH_EPOCH = re.compile(r"(?P<at>\d{1,9})(?:st|nd|rd|th)?[ -]?(?i:epoch)(?![a-z])")
_EPOCH_AND_STEP = re.compile(
    r"\s*\[(?P<epoch>\d{1,9})(?:[,:]\s*|\]\s?\[)(?P<at>\d{1,12})(?:\s*/\s*(?P<of>\d{1,12}))?\s*\]"
)
_LABEL = re.compile(
    r"\s*(?!\(\d+,)(?P<hash>#\s?)?[(\[]?\s{0,8}(?P<at>\d{1,9})"
    r"(?:[\])]?(?:\s\(\d{1,3}%\))?\s?[:|,](?=\s)|[\])](?=\s)|(?:st|nd|rd|th)(?=\s(?!epoch))|\t|(?(hash)\s|(?!)))"
)

_PARTS_OF_EPOCH = ("episode", "sample", "example", "game")
_EPOCH_BEFORE = re.compile(r"(?i)\s*epoch\W{1,3}\d+\W+$")
# Train 0, loss: 1.78   Test [3], loss: 1.5
_SPLIT_AND_EPOCH = re.compile(
    r"\s*(?P<split>(?i:train|val|valid|test|eval)) (?P<open>\[)?(?P<at>\d{1,9})(?(open)\]),(?=\s+[a-z])"
)
# ToyCar<tab><tab>AUC: 54.29   ORG: precision: 73.09%   Class 1: precision: 0.61: what is measured
_ROW = re.compile(
    r"\s*(?!(?i:(?:results?|metrics?|summary|stats?|scores?|performance|info|logs?|logger|output|report|status|note"
    r"|message|trainer|main|rank|gpu|worker|run|seed|train\w*|val\w*|test\w*|eval\w*|dev|time|eta|lr|loss(?:es)?"
    rf"|fold|{'|'.join(_EPOCH_WORDS)}|{'|'.join(STEP_PRIORITY)})s?\b))"
    r"(?:(?P<name>[A-Za-z][\w.-]*(?: [A-Za-z][\w.-]*)?):? ?\t+(?=[A-Za-z][\w@-]{0,20}\s?[:=])"
    # No names of files, nor numbers of samples: each would be a metric of its own.
    r"|(?P<label>[A-Za-z][A-Za-z_-]*(?: [A-Za-z][A-Za-z_-]*)?"
    r"|(?i:class|task|client|model|head|level|layer|stage|group|cluster|domain|label|category|agent|expert)"
    r" \d{1,3})"
    r": {1,4}(?!(?i:ep\b|epoch|step|iter|batch))(?=[A-Za-z][\w@-]*(?: [\w@-]+)?\s?[:=]\s{0,3}[-+.\d])"
    r"|(?P<of_class>(?i:class|task|category) \[?\d{1,3})(?:\]:?| [-|]) "
    r"(?=[A-Za-z][\w@-]*[ :=]\s{0,3}[-+.\d]))"
)
# `   1 train loss:  2.30`
_COUNT_AND_SPLIT = re.compile(
    r"\s*(?P<at>\d{1,6})\s+(?=(?i:train|val|valid|test|loss|batch|last batch)\b[A-Za-z ]{0,20}[:=])"
)
_LETTERS = re.compile(r"第|[^\W\d_]+")
_NTH = re.compile(r"第 ?(?P<at>\d{1,9}) ?(?:轮|輪|回|エポック|个?epoch)")


def after(text: str, at: int, line: ScannedLine) -> int:
    """`after 6400 examples`, `at 3 epochs`, `@ 10 steps`, `in 13 episodes`."""
    match = _AFTER.match(text, at)
    word = match["word"].lower() if match else ""
    if not match or (word not in STEP_PRIORITY and word != "epoch"):
        return 0
    if word == "epoch":
        line.positions["epoch"] = Span.of(match, "at", count)
    else:
        line.set_step(Span.of(match, "at", count), None, STEP_PRIORITY[word])
    return match.end()


def best(text: str, at: int, line: ScannedLine) -> int:
    """`best epoch 12`: where the run was."""
    match = _BEST.match(text, at)
    return match.end() if match and not _is_setting(match) else 0


def epoch(text: str, at: int, line: ScannedLine) -> int:
    """`Epoch 3/10`, `ep: 3`, `epoch 0.25`."""
    match = _EPOCH.match(text, at)
    if not match or _is_setting(match):
        return 0
    if match["word"].lower() == "ep" and "epoch" in line.positions:  # an episode
        return match.end()
    if _BEST_BEFORE.search(text, 0, at):  # best mean dice: 0.31 at epoch 1
        return match.end()
    _note_split(match, line)
    end = match.end("decimals") if match["decimals"] else match.end("at")
    line.positions["epoch"] = Span(match.start("at"), end, number)
    if match["of"]:
        line.positions["epochs"] = Span.of(match, "of", count)
    return match.end()


def fold(text: str, at: int, line: ScannedLine) -> int:
    """`Fold 2`."""
    match = _FOLD.match(text, at)
    if not match or match["decimals"]:
        return 0
    line.positions["fold"] = Span.of(match, "at", count)
    return match.end()


def step(text: str, at: int, line: ScannedLine) -> int:
    """`Step [100/600]`, `iter 7`, `global_step=100`, `batch 3/40`."""
    match = _STEP.match(text, at)
    if not match or match["decimals"]:
        return 0
    if match["plural"] and not match["of"] and _is_total(match, line):
        return match.end()
    word = match["word"].lower()
    priority = EPISODES if word == "episode" and match["plural"] else STEP_PRIORITY[word]
    priority += OF_RUN if match["of_run"] else 0
    _note_split(match, line)
    _set_step(match, priority, line)
    return match.end()


def fraction(text: str, at: int, line: ScannedLine) -> int:
    """`[12/100]`, `12/100 (12%)`; after a metric only in brackets; that of fg/bg=(64/192) is none."""
    match = _FRACTION.match(text, at)
    if (
        not match
        or _VALUE_BEFORE.search(text, max(at - 3, 0), at)
        or (line.metrics and not (match["open"] and match[0][-1] in ")]"))
    ):
        return 0
    counts = Span.of(match, "at", count), Span.of(match, "of", count)
    if not line.are_ordered(text, *counts):
        return 0
    line.fractions.append(counts)
    return match.end()


def nth_epoch(text: str, at: int, line: ScannedLine) -> int:
    """`3rd epoch`, `3epoch:train:`."""
    match = _NTH_EPOCH.match(text, at)
    if not match:
        return 0
    line.positions.setdefault("epoch", Span.of(match, "at", count))
    return match.end()


def nth(text: str, at: int, line: ScannedLine) -> int:
    """`第3轮`."""
    match = _NTH.match(text, at)
    if not match:
        return 0
    line.positions["epoch"] = Span.of(match, "at", count)
    return match.end()


def epoch_and_step(text: str, at: int, line: ScannedLine) -> int:
    """`[1,  2000] loss`, `[1][100/600] loss`, `[1: 10/500] loss`."""
    match = _EPOCH_AND_STEP.match(text, at)
    if not match:
        return 0
    line.positions["epoch"] = Span.of(match, "epoch", count)
    _set_step(match, EACH_EPOCH, line)
    return match.end()


def split_and_epoch(text: str, at: int, line: ScannedLine) -> int:
    """`Train 0, loss: 1.78`."""
    match = _SPLIT_AND_EPOCH.match(text, at)
    if not match:
        return 0
    line.section = match["split"]
    line.positions["epoch"] = Span.of(match, "at", count)
    return match.end()


def row(text: str, at: int, line: ScannedLine) -> int:
    """What is measured, before a tab or a colon: it goes before the names."""
    match = _ROW.match(text, at)
    if not match:
        return 0
    line.section = match["name"] or match["label"] or match["of_class"].replace("[", "")
    line.depends_on_digits |= line.section[-1].isdigit()
    return match.end()


def count_and_split(text: str, at: int, line: ScannedLine) -> int:
    """`   1 train loss:  2.30`: a step, if no word says that it is another."""
    match = _COUNT_AND_SPLIT.match(text, at)
    if not match:
        return 0
    line.positions["step"] = Span.of(match, "at", count)
    return match.end()


def label(text: str, at: int, line: ScannedLine) -> int:
    """`12: loss`, `[12] loss`, `#12 loss`, `5 (20%): loss`: a step, if no word says that it is another."""
    match = _LABEL.match(text, at)
    if not match:
        return 0
    line.positions["step"] = Span.of(match, "at", count)
    return match.end()


AT_BEGINNING = [epoch_and_step, label, split_and_epoch, row, count_and_split]
AT_NUMBER = [fraction, nth_epoch]
AT_WORD = {  # the first, or the first part of `global_step`
    "after": [after],
    "at": [after],
    "in": [after],
    "best": [best],
    "epoch": [epoch],
    "epochs": [epoch],
    "epch": [epoch],
    **{word: [epoch] for word in languages.EPOCHS},
    "第": [nth],
    "ep": [epoch],
    "fold": [fold],
    "mini": [step],
    **{word + plural: [step] for word in STEP_PRIORITY for plural in ("", "s")},
    **{word: [epoch, fold, step] for word in _OF_RUN_WORDS},
    **{f"n{word}s": [step] for word in STEP_PRIORITY},
    "n": [step],
    "t": [step],  # t_env
}


def is_counter(word: str) -> bool:
    """Whether the word counts what the run has done: `generation`."""
    return word.lower() in AT_WORD


def named(text: str, at: int, line: ScannedLine) -> int:
    """A position that begins with a word."""
    letters = _LETTERS.match(text, at)
    recognisers = AT_WORD.get(letters[0].lower()) if letters else None
    return recognise(recognisers, text, at, line) if recognisers else 0


def name_fractions(line: ScannedLine) -> None:
    """Take the fractions that no word names for the epoch and the step, or for the step alone."""
    names = [name for name in ("epoch", "step") if name not in line.positions]
    if len(names) == 2 and len(line.fractions) == 1:
        names = ["step"]
    for name, (part, total) in zip(names, line.fractions):
        line.positions |= {name: part, f"{name}s": total}


def _is_total(match: re.Match[str], line: ScannedLine) -> bool:
    """Whether a number says how many there are: `Epoch: 2, Steps: 225 | Train Loss: 0.1`, `episodes: 135`."""
    text, start, end = match.string, *match.span()
    if match["word"].lower() in _PARTS_OF_EPOCH and "epoch" in line.positions:
        return True
    return _EPOCH_BEFORE.match(text, 0, start) is not None and text[end:].lstrip(" ").startswith("|")


def _note_split(match: re.Match[str], line: ScannedLine) -> None:
    """Keep the part of the data with which the line begins: `Train Epoch: 1 [640/60000]  Loss: 0.5`."""
    part = (match["of_run"] or "")[:-1]
    if vocabulary.is_split(part) and not any(map(str.isalpha, match.string[: match.start()])):
        line.section = part


def _set_step(match: re.Match[str], priority: int, line: ScannedLine) -> None:
    steps = Span.of(match, "of", count) if match["of"] else None
    line.set_step(Span.of(match, "at", count), steps, priority)


def _is_setting(match: re.Match[str]) -> bool:
    """Whether it says how many epochs there are to be: `epochs: 10`."""
    return bool(match["plural"]) and match["word"].lower() in _EPOCH_WORDS and not match["of"]
