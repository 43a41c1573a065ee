"""What a rule may say, and what a mistake in one is told."""

import pytest

from capture.errors import UserError
from capture.watch.rule_language import duration, parse


@pytest.mark.parametrize(
    "text",
    ["loss is nan", "loss is NaN", "*loss* is not finite", "val/loss > 1e3 for 5 steps", "box loss<=-.5",
     "loss rises for 5", "acc falls for 2 epochs", "val_loss no better for 10 epochs", "loss missing for 10m",
     "says 'this and that'", 'says "don\'t or do"', "silent for 1.5 hours", "gpu idle for 10m",
     "GPU memory > 95% for 5m", "loss > 3 and gpu idle for 1m or memory > 95%"],
)  # fmt: skip
def test_what_the_documents_show_is_a_rule(text):
    assert parse(text).text == text


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "'' is no rule; rules look like: loss is nan"),
        ("says oom", "is no rule"),
        ("loss > ten", "is no rule"),
        ("loss is nan and", "is no rule"),
        ("memory > 95", "memory is a share: memory > 95%"),
        ("silent for 15", "for 15: should be a time, such as 30s, 15m or 2h"),
        ("silent for 0s", "for 0s: should be more than 0"),
        ("loss rises for 5 weeks", "for 5 weeks: should be a number of epochs, steps or values, or a time"),
    ],
)
def test_a_mistake_gets_a_sentence_with_what_would_be_right(text, told):
    with pytest.raises(UserError) as error:
        parse(text)
    assert told in str(error.value)


def test_words_inside_quotes_do_not_join():
    assert len(parse("says 'a or b' or says \"c and d\"").parts) == 2


def test_durations():
    assert [duration(text) for text in ("30", "30s", "1.5m", "2h")] == [30, 30, 90, 7200]
    with pytest.raises(UserError, match="should be a time"):
        duration("soon")
