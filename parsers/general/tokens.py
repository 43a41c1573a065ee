"""What the recognisers share: the parts of their expressions, and words for a step."""

from __future__ import annotations

from capture.language.numbers import NUMBER
from capture.parsers import languages

# Also mAP@.5:.95, F1(k=20) and acc(%) are words.
WORD = r"[^\W\d](?:@\d?\.\d+:\d?\.\d+|\w|[/@^%]|[.'+-](?=\w)|\.(?=[=:]))*(?:\+\+(?=:))?"
WORD += r"(?:\((?:[A-Za-z][\w:.=-]{0,12}|[A-Z]\([a-z]\)|%|\d?\.\d+)\)|\[%\])?"
COUNT = r"\d[\d,]{0,14}"
PERCENT = r"(?:\s?\(\s?[\d.]+\s?%\s?\))?"  # ( 12%) after a count

TIME = r"(?:ns|us|µs|ms|s|secs?|seconds)"
BYTES = r"(?:[KMGT]i?B|[kKMGT]?bytes?)"
RATE = r"(?:[a-zA-Z]+/(?:s|sec|second|it|step|batch|iter|gpu)|(?!eps\b)[a-zA-Z]*ps|dBm?|px|pts?|points?"
RATE += r"|[cmk]?m|k?g|[mk]?[WVA]|[kMG]?Hz|ppm)"
# A number that goes on (a version, a date, a ratio, the edge of the terminal) is none.
VALUE = (
    rf"(?P<value>{NUMBER}(?:[kKMGTB](?![\w/]))?)"
    rf"(?:\s?(?P<percent>%)(?!\|(?:[▏▎▍▌▋▊▉█#\d]|\s*\||\s\s))|\s?(?P<unit>{TIME}|{BYTES}|{RATE})(?!\s*[:=]))?"
    r"(?![\w…]|[.:/-]\d|:\s?[-+]?\.?\d|\.[A-Za-z]|\.\.(?!\s|$|\.\s)|-[A-Za-z]|\s?%\|(?:[▏▎▍▌▋▊▉█#\d]|\s*\||\s\s))"
)

# Words for a step.  Where a line has several, the one of the highest priority counts the run's steps.
STEP_PRIORITY = {
    "t_env": 7, "step": 5, "iter": 5, "iteration": 5, "iterate": 5, "itr": 5, "it": 4, "update": 5,
    "timestep": 5, "frame": 3, "example": 3, "sample": 3, "episode": 6, "round": 4, "generation": 4, "gen": 4,
    "game": 4, "tick": 4, "trial": 2, "tree": 4, "batch": 1, "minibatch": 1, "mini-batch": 1, "mb": 1,
    **dict.fromkeys(languages.STEPS, 5),
}  # fmt: skip
EPISODES = 4  # the priority of how many there were: `Episodes = 2 | Steps = 1528`
EACH_EPOCH = 1  # the priority of a step that starts over in each epoch
OF_RUN = 5  # is added where the words say that it does not: `global step`


def count(shown: str) -> int:
    """The whole number that is shown, perhaps with thousands separators: `12,000`."""
    return int(shown.replace(",", ""))


def ratio(shown: str) -> float:
    """The value of a fraction: `9850/10000`."""
    part, _, total = shown.partition("/")
    return count(part) / count(total)
