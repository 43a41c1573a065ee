"""Made-up tokens: examples of every shape in the published list, drawn from the expressions as they are published."""

import json
import random
import re

from helpers import ROOT

try:
    from re import _constants as sre
    from re import _parser as parser
except ImportError:  # Python 3.10
    import sre_constants as sre
    import sre_parse as parser

from capture.redaction.shapes import LEFT_OUT, _scoped

RULES = json.loads((ROOT / "capture" / "redaction" / "rules.json").read_text(encoding="utf-8"))["rules"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SAFE = set(LETTERS + "_-./+=~:%@#|")  # what is drawn where a shape allows anything
CLASSES = {
    sre.CATEGORY_WORD: set(LETTERS + "_"),
    sre.CATEGORY_DIGIT: set("0123456789"),
    sre.CATEGORY_SPACE: {" "},
    sre.CATEGORY_NOT_SPACE: SAFE,
}


def example(expression, seed):
    """A text that the expression (as Go writes it) matches."""
    text = (
        expression.replace(r"\z", r"\Z").replace("[[:alnum:]]", "[A-Za-z0-9]").replace(r"[\w.-]{0,50}?", "")
    )
    tree = parser.parse(_scoped(text), re.ASCII)
    return _draw(tree, random.Random(seed))


def secret_of(rule, text):
    """The part of an example that has to be masked: what stands beside a service's name, or all of it."""
    secret = re.sub(r"""(?:[`'"\s;]|\\\\[nr])$""", "", text)  # what follows it in the list
    if "(?:=|>|" in rule["regex"]:
        beside = re.search(r"(?:=|>|:|,)[`'\"\s=]{0,5}([^\s`'\";]{8,})[`'\"\s;]*$", secret)
        return beside[1] if beside else secret
    return secret.removeprefix("sourcegraph ").strip("`'\" ;")


def all_examples(seed=1):
    """(rule, text, secret) for each rule of the list but those that are done in other ways."""
    for rule in RULES:
        if rule["id"] not in LEFT_OUT:
            text = example(rule["regex"], f"{rule['id']}-{seed}")
            if rule["id"] == "sourcegraph-access-token" and "sgp_" not in text:
                text = f"sourcegraph {text}"  # alone it looks like a commit
            yield rule, text, secret_of(rule, text)


def _draw(tree, rng):
    return "".join(_one(op, value, rng) for op, value in tree)


def _one(op, value, rng):
    if op is sre.LITERAL:
        return chr(value)
    if op is sre.NOT_LITERAL:
        return rng.choice(sorted(SAFE - {chr(value)}))
    if op is sre.ANY:
        return "."  # the list means a dot, but for one that any character may stand for
    if op is sre.IN:
        return rng.choice(sorted(_set(value)))
    if op is sre.BRANCH:
        return _draw(rng.choice(value[1]), rng)
    if op is sre.SUBPATTERN:
        return _draw(value[3], rng)
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, inner = value
        count = rng.randint(low, min(high, low + 3))
        return "".join(_draw(inner, rng) for _ in range(count))
    if op is sre.AT:
        return ""
    raise NotImplementedError(op)


def _set(items):
    found, negated = set(), False
    for op, value in items:
        if op is sre.NEGATE:
            negated = True
        elif op is sre.LITERAL:
            found.add(chr(value))
        elif op is sre.RANGE:
            found |= {chr(code) for code in range(value[0], value[1] + 1)}
        else:
            found |= CLASSES[value]
    found = SAFE - found if negated else found & (SAFE | set(" '\"`;")) or found
    # A line break, a quote or a space would end what holds the token.
    return (found & set(LETTERS)) or (found - set("\n\r")) or found
