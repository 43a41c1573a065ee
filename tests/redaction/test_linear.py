"""Redaction takes time that is linear in the length of a line, whatever is printed."""

import time
import uuid

import pytest
from made_up_tokens import all_examples

from capture.redaction import Redactor

LENGTH = 8_000
FLOOR = 0.005  # seconds: what takes less is not measured
REDACTOR = Redactor({"SERVICE_TOKEN": "tomato-soup"})


def seconds(text):
    """The CPU time of redacting a text, the least of three where it is worth measuring."""
    taken = []
    while len(taken) < 3:
        started = time.thread_time()
        REDACTOR.text(text)
        taken.append(time.thread_time() - started)
        if taken[-1] < FLOOR:
            break
    return min(taken)


def superlinear(parts):
    """The parts that take more than three times as long when they are repeated twice as often."""
    slow = []
    for part in parts:
        one, two = (part * (length // len(part) + 1) for length in (LENGTH, 2 * LENGTH))
        if (short := seconds(one)) > FLOOR and (long := seconds(two)) > 3 * short:
            slow.append((part[:60], short, long))
    return slow


PARTS = [
    *("a-", "password=", "token ", "https://a:b", "://a:", "--token --", "?sig=", "Bearer x", "authorization: ", "key_"),
    *("key.", "-u a:b ", "curl -u ", "login x password ", "-----BEGIN PRIVATE KEY-----", "cookie", "'key',", 'cookie: "'),
    *("authorization: digest ", '\\"key\\":', 'key: \\"', 'key:"\\', "pass:'", "bearer 1", "sm_pat=", "&key=", "password=/a"),
    *("a", "A1", " ", "/", "=", "%", "ey", "\n", "|\n", "k: |\n", "secret: |\n "),
]  # fmt: skip


def test_no_text_takes_more_than_linear_time():
    assert superlinear(PARTS) == []


def test_no_shape_of_a_token_takes_more_than_linear_time():
    parts = []
    for rule, text, _ in all_examples(3):
        for piece in {*rule["keywords"], text, text[:-1] + "!", text[: len(text) // 2]}:
            parts += [piece, piece + "-", piece + "="]
    assert superlinear(parts) == []


@pytest.mark.parametrize("text", ["a-" * 30_000, "-".join(str(uuid.UUID(int=n)) for n in range(900))])
def test_what_took_twenty_seconds_once(text):
    assert seconds(text) < 1
