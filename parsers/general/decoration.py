"""Decoration that programs put around names and numbers: arrows, bars, types of numbers, cells."""

from __future__ import annotations

import re
from typing import NamedTuple

from capture.console.prefix_expressions import CTIME, DATE
from capture.language.numbers import NUMBER

_ARROW = re.compile(  # ==> epoch 3   -> val_loss 0.7   >>> Epoch: 3; but `>>> loss = 0.5` is Python
    r"\s*(?:[*=]{2,} \w+ [*=]{2,} >{2,}(?=\s[A-Za-z]+: )"
    r"|(?:#\s)?(?:(?:\|\s)?>|[=*#~-]{2,}>?|\*|[-=]>|[→↳•])(?=\s)"
    r"|#\s?(?:of\s)?(?=(?i:episode|epoch|step|iter)\w*\s?[:=])"  # `# of episode :20, avg score : 22.4`
    r"|-{2,}>(?=[a-z]+: )"
    r"|>{2,}(?=\s(?i:epoch|step|iter|train|val|test|eval)\w*(?! ?=)))"
)
# === epoch 3: loss 0.5 ===   loss 0.5  <-- best   loss 0.5 -> saved
_MARK = re.compile(
    r"\s(?:[=*#~-]{2,}|\*"
    r"|(?:<[-=]{1,3}|[-=]{1,3}>)\s?(?!(?i:nan|inf)\b)[A-Za-z]+(?: [A-Za-z]+){0,3}[.!]*)\s*$"
)
# ('Epoch', 3, 'loss', 0.5), as Python 2 prints what is in brackets
_TUPLE = re.compile(rf"\((?:'[\w :=/.@-]{{1,60}}', (?:{NUMBER}|\d+/\d+)(?:, |\)$)){{1,30}}")
_PLACE = re.compile(
    r"\[[^\[\]]{0,60}\w\.(?:py|cc|cpp|h|jl)(?::\d+\]\s?|\] => )"
)  # [0807 20:05:17 @monitor.py:474] cost: 2   [icarl.py] => Task 6, Epoch 1/170 => Loss 1.7
_BAR = re.compile(r"\[[=#>. -]{5,}\]|\|?[▏▎▍▌▋▊▉█━╸╺─░▒▓]{2,}[ ╸╺]*\|?")  # [=====>    ]   |███▌     |
# loss = 0.5 @ 2021-01-14 10:52:33.539342   loss: 0.5 etc:Tue Sep 17 15:31:45 2019
_DATE_BEHIND = re.compile(rf"[\s,@|;-]*(?:\s|,|\b[a-z]{{1,6}}:\s?)(?:{DATE}|{CTIME})\s*$")
# |--->    |===>   |    [00:12<00:30, 3.1it/s]    [02/03 10:11:12]
_TAIL = re.compile(r"\s(?:\|[-=#~.]{2,}>?\s*\|?|\[\d+:[\d:]+<[^\[\]]*\]|\[[\d/-]+ \d+:\d\d(?::\d\d)?\])\s*$")
# A text without which an expression can't match, the expression, and what is put in its place.
_REPLACEMENTS = [
    # episodic_return=[23.]   dice [0.91]   lr:(2.0e-04,)
    ("[", re.compile(rf"(?:(?<=[=:])\s?|(?<=[a-z] )(?=\[\d*\.))\[\s*({NUMBER})\s*,?\s*\]"), r"\1"),
    ("[", re.compile(r"(?<=[A-Za-z])\[(\d*\.\d+%?)\]"), r" \1"),  # Loss[0.5] Acc[91.2%]
    ("oss", re.compile(r"(?<![\w.])([A-Za-z_]*[Ll]oss)(?=\d\.\d{2})"), r"\1 "),  # loss2.8047
    (",)", re.compile(rf"(?<=[=:])\s?\(\s*({NUMBER}),\s*\)"), r"\1"),
    ("(:", re.compile(r"[(,]\s*:(\w+),\s?(?=[-+.\d])"), r" \1="),  # (:epoch,8,:loss,0.5) of Julia
    (  # Epoch 3 -> loss 0.5   Task 1, Epoch 3/200 => loss 0.5
        "> ",
        re.compile(
            r"^(\W{0,4}(?:[A-Za-z]+ \d+, )?(?i:epoch|ep|step|iter(?:ation)?|round|episode|batch)"
            r"\W{0,6}\d[\d/\s\])]{0,20})\s[-=]{1,3}>\s(?=\w)"
        ),
        r"\1 | ",
    ),
    (
        "> ",
        re.compile(r"(?<=[\d%])\s[-=]{1,3}>\s(?=[A-Za-z][\w ]{0,30}\s?[:=]\s?[-+.\d])"),
        " | ",
    ),  # loss: 0.5 => acc: 0.6
    ("('", re.compile(r"\('([\w/ .@-]+)',\s?(?=[-+.\d]|nan|inf)"), r"(\1="),  # ('loss', 0.5)
    (
        "(",  # tensor(0.53, grad_fn=<NllLossBackward0>)   np.float64(0.5)   param(0.5) of Flux
        re.compile(
            rf"(?:tensor|param|Array|array|(?:np\.|numpy\.|jnp\.)?(?:float|int)\d+)"
            rf"\(\s*({NUMBER})(?:,[^()]{{0,80}}(?:\([^()]*\))?)?\s*\)"
        ),
        r"\1",
    ),
    ('": "', re.compile(rf"(?<=\": )\"({NUMBER})\""), r"\1"),  # "loss": "3.112"
    (" @ ", re.compile(r"(?i)(?<=hits|call|mean|ndcg|prec|.mrr|..hr|.map)s? @ (?=\d)"), "@"),  # Hits @ 10
    ("-", re.compile(r"(?:^|(?<=[\s,|(]))-(?=(?:ELBO|elbo|VLB|LL)\b)"), "neg "),  # -ELBO: 12.5
    ("D+", re.compile(r"(?<=\.\d)(\d*)D(?=\+\d\d)"), r"\1e"),  # 1.03972D+03 of Fortran
    ("D-", re.compile(r"(?<=\.\d)(\d*)D(?=-\d\d)"), r"\1e"),
    ("f0", re.compile(r"(?<=\d)f0(?!\w)"), ""),  # 0.5f0 of Julia
    ("f-", re.compile(r"(?<=\d)f(?=-\d{1,2}(?!\w))"), "e"),  # 5.76351f-6
    ("]", re.compile(r"\[([A-Za-z][\w ]{0,30})\](?=\s?[:=]\s?[-+.\d])"), r"\1"),  # [TRAIN LOSS]: 2.73
    (
        ". ",
        re.compile(r"(?i)\b(avg|val|max|min|std|tot|neg|pos|pop|spec|cum|rel|abs)\. (?=[a-z])"),
        r"\1 ",
    ),  # avg. loss
]
# A message that another thread printed into the line: loss 0.5/usr/lib/x.py:12: UserWarning: ...
_MESSAGE = re.compile(r"(?:/[\w.-]+){2,}:\d+:|\b(?:\w*Warning|\w+(?:Error|Exception)):\s|Traceback \(")
_FULL_WIDTH = str.maketrans("：，（）【】％＝｜；", ":,()[]%=|;")
_CELLS = re.compile(
    rf"\s*[|│┃]\s*(?P<name>[A-Za-z_][\w/.@ -]{{0,60}}?)\s*[|│┃]\s*"
    rf"(?P<value>{NUMBER})\s?(?P<percent>%)?(?P<unit>)\s*[|│┃]\s*$"
)


class Undecorated(NamedTuple):
    """A line's text without decoration, and what is before its bar, if it has one."""

    text: str
    before_bar: str | None


def remove(text: str) -> Undecorated:
    """The text without decoration: names and numbers only."""
    if not text.isascii():
        text = text.translate(_FULL_WIDTH)
    if text.startswith("[") and (place := _PLACE.match(text)):
        text = text[place.end() :]
    arrow, bar = _ARROW.match(text), _BAR.search(text)
    plain = text[arrow.end() :] if arrow else text
    if bar:
        plain = _BAR.sub(" ", plain)
    if (
        not bar
        and "%|" not in plain
        and plain.rstrip().endswith((">", "|", "]"))
        and (tail := _TAIL.search(plain))
    ):
        plain = plain[: tail.start()]
    if ":" in plain[-16:] and (date := _DATE_BEHIND.search(plain)):
        plain = plain[: date.start()]
    if mark := _MARK.search(plain):
        plain = plain[: mark.start()]
    if plain.startswith("('") and _TUPLE.fullmatch(plain):
        plain = plain[1:-1].replace("'", " ").replace(" ,", "")
    for needed, expression, replacement in _REPLACEMENTS:
        if needed in plain:
            plain = expression.sub(replacement, plain)
    if message := _MESSAGE.search(plain):
        plain = plain[: message.start()]
    return Undecorated(plain, text[: bar.start()] if bar else None)


def cells(text: str) -> re.Match[str] | None:
    """Name and value, if the text is a row of two cells: `|  test_loss  |  0.55  |`."""
    return _CELLS.match(text)
