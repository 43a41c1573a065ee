"""How the pieces of a line of an unknown program look."""

from __future__ import annotations

import re

from capture.language.numbers import NUMBER

COUNT = r"\d[\d,]{0,14}"
WORD = r"[A-Za-z_](?:\w|[/@^%]|[.'+-](?=\w))*(?:\([A-Za-z][\w:.-]{0,12}\))?"
BYTES = r"(?:[KMGT]i?B|[kKMGT]?bytes?)"
RATE = r"(?:[a-zA-Z]+/(?:s|sec|second|it|step|batch|iter|gpu)|[a-zA-Z]*ps|dBm?|px|pts?|points?"
RATE += r"|[cmk]?m|k?g|[mk]?[WVA]|[kMG]?Hz|ppm)"
TIME = r"(?:ns|us|µs|ms|s|secs?|seconds)"
# A number that goes on (a version, a date, a ratio, the edge of the terminal) is none.
VALUE = (
    rf"(?P<value>{NUMBER}(?:[kKMGTB](?![\w/]))?)"
    rf"(?:\s?(?P<percent>%)(?!\|)|\s?(?P<unit>{TIME}|{BYTES}|{RATE})(?!\s*[:=]))?"
    r"(?![\w…]|[.:/-]\d|\.[.A-Za-z]|-[A-Za-z]|\s?%\|)"
)
NAME = re.compile(rf"{WORD}(?: {{1,2}}(?!(?i:nan|inf|infinity)\b){WORD}){{0,5}}")
VERB = re.compile(r" (?:is|was|of)$")
EXPLICIT = re.compile(rf"['\"]?(?P<note> \([A-Za-z][\w@. -]{{0,20}}\))?\s{{0,4}}:?[:=](?![:=])\s*{VALUE}")
SPACED = re.compile(rf"\s+(?:is\s+|was\s+|of\s+)?{VALUE}")
# Accuracy of the network on the 10000 test images: 55 %   Loss after 100 steps: 0.5
PHRASE = re.compile(
    rf"{WORD} (?:\([^()]*\) )?(?:of|on|for|over|after|at|in) [^=|,;]{{1,80}}?(?::|=| is)\s*{VALUE}"
    r"\s*[.!]?\s*$"
)
PHRASE_END = re.compile(r"\s*(?::|=| is)\s*$")
WHEN = re.compile(r" (?=(?:after|at) [\da-z])")
# Validation loss 15: 0.878570   Train loss 5 1.171202
AT_STEP = re.compile(rf" (?P<at>{COUNT}):?\s+(?=-?\d*\.\d|-?\d+e-|nan|inf){VALUE}")
# Train / Test accuracy: 0.37 / 0.28   train/val loss: 0.5/0.6
PART = r"(?i:train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)"
BOTH = re.compile(
    rf"(?P<one>{PART})\s?/\s?(?P<two>{PART}) (?P<name>{WORD}(?: {WORD})?)\s?[:=]\s*"
    rf"(?P<first>{NUMBER})(?P<first_percent>\s?%)?\s?/\s?(?P<second>{NUMBER})(?P<second_percent>\s?%)?(?![\w/])"
)
# Accuracy: 9850/10000 (98%)
OUT_OF = re.compile(
    rf"\s{{0,2}}[:=]?\s{{0,4}}(?P<hits>{COUNT})\s?/\s?(?P<all>{COUNT})(?![\d/]|\.\d)(?:\s*\(\s*[\d.]+\s?%\s*\))?"
)
# 7.3 (9.3)   0.53 ± 0.01   0.53 (best 0.5)
SECOND = re.compile(
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
WHOLE = ("global", "total", "env", "optimizer", "train", "training", "current", "num", "best")
PLACES = frozenset([*STEPS, *(f"{word}s" for word in STEPS), "epoch", "epochs", "ep", "fold"])
PERCENT = r"(?:\s?\(\s?[\d.]+\s?%\s?\))?"
POSITION = re.compile(
    rf"(?i)(?P<best>best[ _-])?(?P<whole>(?:{'|'.join(WHOLE[:-1])})[ _-])?"
    rf"(?P<what>epoch|ep|fold|{'|'.join(sorted(STEPS, key=len, reverse=True))})(?P<plural>s)?"
    r"(?:\([a-z]+\)|\.)?"
    rf"\s{{0,8}}(?:[:=#]|no\.?)?\s{{0,8}}[\[(]?\s{{0,8}}(?P<at>{COUNT})(?P<part>\.\d{{1,12}})?"
    rf"(?:\s{{0,8}}(?:/|of)\s{{0,8}}(?P<of>{COUNT}))?{PERCENT}\s{{0,8}}[\])]?(?![\w%]|[.:/-]\d)"
)
FRACTION = re.compile(
    rf"(?P<open>[\[(]?)\s{{0,8}}(?P<at>{COUNT})\s{{0,8}}/\s{{0,8}}(?P<of>{COUNT})"
    rf"(?:\s?(?:batch|step|iter|it|epoch)[a-z]*)?\s{{0,8}}{PERCENT}\s{{0,8}}[\])]?(?![\w/%]|\.\d|\s?[KMGT]i?B)"
)
# after 6400 examples
COUNTED = re.compile(rf"(?i)(?:after|at|@) (?P<at>{COUNT}) (?P<what>[a-z-]+?)s?(?![a-z])")
# 12: loss   [12] loss   #12 loss
LABEL = re.compile(
    r"\s*(?P<hash>#\s?)?[(\[]?(?P<at>\d{1,9})(?:[\])]?\s?[:|,](?=\s)|[\])](?=\s)|\t|(?(hash)\s|(?!)))"
)
# [1,  2000] loss   [1][100/600] loss
TWO = re.compile(r"\s*\[(?P<epoch>\d{1,9})(?:,\s*|\]\s?\[)(?P<at>\d{1,12})(?:\s*/\s*(?P<of>\d{1,12}))?\s*\]")
QUANTITY = re.compile(
    r"[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?:/[\d.]+)*"
    rf"(?P<unit>:\d[\d:.]*|\s?%|\s?(?:{TIME}|m|mins?|minutes?|h|hrs?|hours?|d|days?|{BYTES}|{RATE})(?!\w))?"
)
NTH_EPOCH = re.compile(rf"(?P<at>{COUNT})(?:st|nd|rd|th)?[ -]?(?i:epoch)(?![a-z])")  # 3epoch:train:
ASIDE = re.compile(
    r"\[[^\[\]:=]{0,60}\]|\(\*[^()]*\)"
)  # WER 12.3 [ 100 / 812, 10 ins ]   loss = 0.5 (* 1 = 0.5)
FIRST = re.compile(r"[A-Za-z]+")
PLAIN = re.compile(WORD)
OPENS_EPOCH = re.compile(r" \[\s*\d+/")
SHORT_UNIT = re.compile(rf"{TIME}|{BYTES}")  # those that change from line to line: 900ms, 1.2s
ERRORS = re.compile(r"(?i)(?<![a-z])err(?:or)?(?![a-z])")
# Words of a sentence that lead to a name.
LEAD = """
with at of the has have was is and for to from using saved saving got after in on a an its by as achieved
reached
"""
STOPS = frozenset(LEAD.split())
