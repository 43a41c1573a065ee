"""Sentences, commands, settings, code: what may hold a metric's word beside a number, but is no metric."""

from __future__ import annotations

import re

_CODE = (" 0x", "=0x", "://", "==", "!=", "->", "=>", "::", "{", "}", "<", ">", "\\", "`", "~", "self.", "[]")
_WORDS = """
load loaded loading default defaults threshold expected should must cannot invalid deprecated require
requires required requirement collecting usage option options argument arguments version settings setting
float double int const let var def import void static copyright license passed failed building linking
namespace assuming improved packet packets pid uid port http errors hyperparameters
hyperparams
"""
_OTHER_WORDS = frozenset(_WORDS.split())
_OTHER_STEMS = ("resum", "restor", "assert", "install", "download", "config", "compil")
_NAME = re.compile(r"(?<=: )[Dd]efault(?=,)")  # head: default, loss=0.5
_LOWER_CASE_WORD = re.compile(r"(?<![a-z_])[a-z]+(?![a-z_])")
_BEGINNING = re.compile(
    "|".join(
        [
            r"\s*(?:return|raise|if|for|while|def|else|elif|with|print)\b",
            r".*\b(?:SELECT|INSERT|UPDATE|WHERE)\s",
            r"\s*Class\s{2,}\w",  # the heading of a table with a bar
            r"\s*class \w+(?:\(|\s*[:{]\s*$)",
            r"\s*[$>+] ?[A-Za-z]",  # $ python train.py
            r"\s*# ?(?!(?:of )?(?i:epoch|ep|episode|step|iter|iteration|round|batch)\b)[A-Za-z]",  # a comment
            r"\s*[/~]\w",  # /dev/sda1
            r".*\bReduceLROnPlateau ",  # of Keras, which prints the rate in the line of the epoch, too
            r"wandb: ",
            r"Step \d+/\d+ : [A-Z]",  # Step 5/10 : ENV ACC=0.5, of docker
            r"#\d+ (?:\[|\d)",  # #11 [3/5] RUN echo, of docker
            r"\s*(?:--- )?(?:PASS|FAIL|SKIP|ok|not ok)\b",
            r"\s{9,}['\"]",
            r"[d-][rwxsStT-]{9}",  # -rw-r--r--, of ls
            r"[-+ ]\s{3,}\w+ = \S+$",  # +    loss = 0.5, of diff
            r"[-+](?:\s{2}|[A-Za-z_])",
            r"\s*\d+ ?[|\t]\s{3,}\w+ = ",  # 12 |    loss = 0.5, of a listing
            r"\d+[:-][A-Za-z_]",  # 12:loss = 0.5, of grep
            r"\s*(?:\w+\.)*\w*(?:Error|Exception|Warning)(?!\w)(?!\s?[:=]?\s?[-+]?\.?\d)",
        ]
    )
)
_COMMAND = re.compile(
    r"(?<![\w-])--?[a-z][\w-]*[ =]|^[^;]*;\s*$|['\"][\])]*,?\s*$"
    r"|\.(?:py|sh|c|cc|cpp|h|rs|go|js|ts|yaml|yml|json|toml|cfg|txt)\b"
)
_CALL = re.compile(r"\w\((?:[^()]*[ ,])?\w+\s?=(?!\d+\))|\w\(['\"]|\w\.[a-z_]+\(")  # f(x, y=1   f('   a.f(


def is_other(text: str) -> bool:
    """Whether the text is a sentence, a command, a setting or code."""
    if "efault" in text:
        text = _NAME.sub("", text)
    return (
        any(sign in text for sign in _CODE)
        or any(
            word in _OTHER_WORDS or word.startswith(_OTHER_STEMS)
            for word in _LOWER_CASE_WORD.findall(text.lower())
        )
        or _BEGINNING.match(text) is not None
        or _COMMAND.search(text) is not None
        or ("(" in text and _CALL.search(text) is not None)
    )
