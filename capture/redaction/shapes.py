"""The shapes of known tokens: a published list, and what it lacks of the services that trainings use.

The list is that of gitleaks (`rules.json`, licence in `NOTICE`).  Reading it takes a millisecond; an
expression is compiled when a text has one of its keywords, and a text without any costs the looking for them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

# Keywords for shapes whose keywords in the list are not part of the token.
_OTHER_KEYWORDS = {"airtable-personnal-access-token": ["pat"], "facebook-access-token": ["|", "%"]}
# Done here in other ways: by names (`names`, `beside`) and line by line (`blocks`), or not in linear time.
LEFT_OUT = frozenset(
    ["generic-api-key", "private-key", "kubernetes-secret-yaml", "curl-auth-header", "curl-auth-user"]
)
_VALUE = r"""[\x60'"\s=]{0,5}("""  # what the list has between the name of a service and its secret
# How the list is written where that differs from what is needed here, or from Python's syntax.
_WRITTEN = (
    (r"""(?:^|[\\'"\x60\s>=:(,)])""", r"(?<!\w)"),
    (r"""(?:$|[\\'"\x60\s<),])""", ""),
    (r"(?:[^\w-]|\z)", ""),
    (r"(?:[^a-zA-Z0-9+/]|\z)", ""),
    ("[[:alnum:]]", "[A-Za-z0-9]"),
    (r"\z", r"\Z"),
    ("(.{8,})", '([^"]{8,500})'),  # takes more than linear time
    (r"[\w.-]{0,50}?", ""),  # before the name of a service: only the secret is masked
)
_ENDS = (r"""(?:[\x60'"\s;]|\\[nr]|$)""", r"""(?:[\x60'"\s;]|\\[nr]|$|\b)""")  # what follows a token
# As the services publish them.
_MORE = {
    r"\bhf_[A-Za-z0-9]{20,}": ["hf_"],
    r"\bsk-[A-Za-z0-9_-]{20,}": ["sk-"],  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"\bgh[pousr]_[A-Za-z0-9]{30,}": ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    r"\bgithub_pat_\w{22,}": ["github_pat_"],
    r"\bgl[a-z]{2,8}-[\w-]{20,}": ["glpat-"],
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}": ["akia", "asia"],
    r"\bAIza[\w-]{35}": ["aiza"],
    r"\bya29\.[\w-]{20,}": ["ya29."],  # Google's OAuth
    r"\bxox[a-z]-[\w-]{10,}": ["xox"],
    r"\bwandb_v\d_\w{20,}|\blocal-[0-9a-f]{40}\b": ["wandb_v", "local-"],
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+": ["eyj"],
    r"\bnvapi-[\w-]{20,}": ["nvapi-"],  # NVIDIA
    r"\bgsk_[A-Za-z0-9]{20,}": ["gsk_"],  # Groq
    r"\bxai-[A-Za-z0-9]{20,}": ["xai-"],
    r"\br8_[A-Za-z0-9]{20,}": ["r8_"],  # Replicate
    r"\btgp_v1_[\w-]{20,}": ["tgp_v1_"],  # Together
    r"\bpcsk_\w{20,}": ["pcsk_"],  # Pinecone
    r"\blsv2_(?:pt|sk)_\w{20,}": ["lsv2_"],  # LangSmith
    r"\bKGAT_[A-Za-z0-9]{20,}": ["kgat_"],  # Kaggle
}


class Shape(NamedTuple):
    """How a token looks: an expression that is `listed` as gitleaks writes it, or is ours."""

    name: str
    keywords: list[str]  # in small letters; a text that matches has at least one of them
    expression: str
    listed: bool = True


@cache
def shapes() -> list[Shape]:
    """All shapes, those of the list first."""
    path = os.path.join(os.path.dirname(__file__), "rules.json")
    with open(path, encoding="utf-8") as file:
        rules = json.load(file)["rules"]
    listed = [
        Shape(rule["id"], rule["keywords"] + _OTHER_KEYWORDS.get(rule["id"], []), rule["regex"])
        for rule in rules
        if rule["id"] not in LEFT_OUT
    ]
    return listed + [Shape(keywords[0], keywords, text, False) for text, keywords in _MORE.items()]


@cache
def _by_keyword() -> dict[str, list[Shape]]:
    found: dict[str, list[Shape]] = {}
    for shape in shapes():
        for keyword in shape.keywords:
            found.setdefault(keyword, []).append(shape)
    return found


def masked(text: str, low: str, mask: str) -> str:
    """The text with every token of a known shape masked; `low` is the text in small letters."""
    hit: dict[str, Shape] = {}
    for keyword, found in _by_keyword().items():
        if keyword in low:
            hit.update((shape.name, shape) for shape in found)
    for shape in hit.values():
        text = _compiled(shape.expression, shape.listed).sub(_masking(mask), text)
    return text


@cache
def _masking(mask: str) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        if "secret" not in match.re.groupindex or match["secret"] is None:
            return mask
        start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
        return match[0][:start] + mask + match[0][end:]

    return replace


@cache
def _compiled(expression: str, listed: bool) -> re.Pattern[str]:
    return re.compile(python_of(expression) if listed else expression, re.ASCII)


def python_of(expression: str) -> str:
    r"""An expression of the list (Go's RE2) as Python has it.

    What follows a token there (a quote, a space, the end) may here be anything that does not belong to it, as
    in `?key=TOKEN&x=1`.  What is beside the name of a service is the group `secret`; elsewhere all that
    matches is the secret, and whatever letters follow it.
    """
    for written, ours in _WRITTEN:
        expression = expression.replace(written, ours)
    beside = _VALUE in expression
    for end in _ENDS:
        expression = expression.replace(end, r"(?!\w)" if beside else r"[\w-]*")
    return _scoped(expression.replace(_VALUE, _VALUE + "?P<secret>"))


def _scoped(expression: str) -> str:
    """The same with `(?i)` inside as a group of its own, since Python has it at the beginning only."""
    out, open_groups, at = [], [0], 0
    while at < len(expression):
        char, end = expression[at], at + 1
        if char == "\\":
            end = at + 2
        elif char == "[":
            while expression[end] != "]" or end == at + 1:
                end += 2 if expression[end] == "\\" else 1
            end += 1
        elif expression.startswith("(?i)", at):
            end = at + 4
            out.append("(?i:")
            open_groups[-1] += 1
            at = end
            continue
        elif char == "(":
            open_groups.append(0)
        elif char == ")":
            out.append(")" * open_groups.pop())
        elif char == "|" and open_groups[-1]:
            char = ")" * open_groups[-1] + "|" + "(?i:" * open_groups[-1]
            out.append(char)
            at = end
            continue
        out.append(expression[at:end])
        at = end
    return "".join(out) + ")" * open_groups.pop()
