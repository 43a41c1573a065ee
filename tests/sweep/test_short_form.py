"""The short form: values, ranges, steps; what they stand for."""

import pytest

from capture.errors import UserError
from capture.sweep import short_form


@pytest.mark.parametrize(
    ("word", "spec"),
    [
        ("lr=0.01,0.1", {"values": [0.01, 0.1]}),
        ("opt=adam,sgd", {"values": ["adam", "sgd"]}),
        ("n=5", {"value": 5}),
        ("nesterov=true,false", {"values": [True, False]}),
        ("layers=[64,64],[128]", {"values": [[64, 64], [128]]}),
        ("text='a,b',c", {"values": ["a,b", "c"]}),
        ("lr=1e-4..1e-1", {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1}),
        ("drop=0.1..0.5", {"distribution": "uniform", "min": 0.1, "max": 0.5}),
        ("bs=16..256", {"min": 16, "max": 256}),
        ("n=1..1000", {"distribution": "q_log_uniform_values", "min": 1, "max": 1000, "q": 1}),
        ("x=-1..1", {"min": -1, "max": 1}),
        ("drop=0..0.5:0.1", {"values": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}),
        ("n=2..8:3", {"values": [2, 5, 8]}),
        ("path=../data", {"value": "../data"}),
        ("optimizer.lr=1,2", {"values": [1, 2]}),
    ],
)
def test_a_word_stands_for_a_parameter(word, spec):
    assert short_form.parameters([word]) == {word.partition("=")[0]: spec}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("lr=", "there is no value behind the ="),
        ("lr=2..1", "2 is not less than 1"),
        ("lr=1..high", "a range is LOW..HIGH or LOW..HIGH:STEP, such as 1e-4..1e-1 or 0..0.5:0.1"),
        ("n=0..10:0", "the step should be more than 0"),
    ],
)
def test_a_mistake_is_one_sentence(word, message):
    with pytest.raises(UserError) as caught:
        short_form.parameters([word])
    assert str(caught.value) == f"{word!r}: {message}"


def test_a_name_that_is_there_twice_is_an_error():
    with pytest.raises(UserError, match="lr is there twice; put its values together: lr=A,B"):
        short_form.parameters(["lr=1", "lr=2"])


@pytest.mark.parametrize(
    ("text", "name", "goal"),
    [
        ("min val_loss", "val_loss", "minimize"),
        ("max test accuracy", "test accuracy", "maximize"),
        ("val_loss", "val_loss", "minimize"),
        ("val_acc", "val_acc", "maximize"),
    ],
)
def test_the_goal_is_said_or_known_by_the_name(text, name, goal):
    assert short_form.metric(text) == {"name": name, "goal": goal}


def test_a_metric_whose_name_tells_nothing_needs_its_goal():
    with pytest.raises(UserError, match="say whether low or high is good: --metric 'min xyz'"):
        short_form.metric("xyz")


@pytest.mark.parametrize(
    ("words", "method"), [(["a=1,2", "n=1..4"], "grid"), (["a=1,2", "x=0.1..1"], "random")]
)
def test_a_grid_where_it_has_an_end(words, method):
    assert short_form.method(short_form.parameters(words)) == method
