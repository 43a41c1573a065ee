"""How a trial's values reach its command: macros, names in braces, options, a copy of its configuration."""

import json

import pytest
import yaml

from capture.errors import UserError
from capture.sweep import commands, config_files

CONFIG = {"lr": 0.1, "fast": True, "slow": False, "name": "a b"}


@pytest.mark.parametrize("macro", [name for name in commands.MACROS if name.startswith("args")])
def test_macros_are_those_of_wandbs_agent(macro):
    from wandb.sdk.launch.sweeps import utils

    theirs = utils.create_sweep_command_args(
        {"args": {name: {"value": value} for name, value in CONFIG.items()}}
    )
    wanted = theirs.get(macro, ["file.json"])
    words = [f"${{{macro}}}"]
    assert commands.build(words, "train.py", CONFIG, CONFIG, "file.json", None) == wanted


def test_the_default_command_is_wandbs():
    found = commands.build(commands.DEFAULT, "train.py", {"lr": 0.1}, {"lr": 0.1}, "", None)
    assert found == ["/usr/bin/env", "python", "train.py", "--lr=0.1"]


def test_variables_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("DATA", "/data")
    words = ["train", "--data=${envvar:DATA}/x", "${envvar:MISSING}"]
    assert commands.build(words, None, {}, {}, "", None) == ["train", "--data=/data/x", "MISSING"]


def test_a_value_goes_where_its_name_is_in_braces_and_else_to_the_end():
    values = {"lr": 0.1, "bs": 16}
    words = ["train", "--lr", "{lr}", '--json={"a": {b}}']
    assert commands.build(words, None, values, values, "", []) == [
        "train", "--lr", "0.1", "--json={\"a\": {b}}", "--bs=16"
    ]  # fmt: skip


def test_a_name_that_is_mistyped_is_an_error():
    with pytest.raises(
        UserError,
        match=r"the command has {leaning_rate}, which is no parameter; did you mean {learning_rate}\?",
    ):
        commands.check(["train", "{leaning_rate}"], ["learning_rate", "bs"], None)
    with pytest.raises(UserError, match=r"command: \$\{arg\} is unknown; did you mean \$\{args"):
        commands.check(["train", "${arg}"], ["lr"], None)
    with pytest.raises(UserError, match="the key program is missing"):
        commands.check(["${program}"], ["lr"], None)


FILES = {
    "c.yaml": "# tuned by hand\nmodel: !Net {width: 64}\noptimizer:\n  lr: 1e-3  # slow\n  name: adam\nsteps:\n",
    "c.json": '{"model": {"width": 64}, "optimizer": {"lr": 0.001, "name": "adam"}, "steps": null}',
    "c.toml": '# tuned by hand\nsteps = 1\n[optimizer]\nlr = 0.001 # slow\nname = "adam"\n[model]\nwidth = 64\n',
    "c.ini": "[optimizer]\nLR = 0.001\nlr = 0.002\nname = adam\n[model]\nwidth = 64\n[run]\nsteps = 1\n",
}


@pytest.mark.parametrize("name", FILES)
def test_values_are_put_into_a_configuration(name):
    with open(name, "w") as file:
        file.write(FILES[name])
    values = {"optimizer.lr": 0.5, "width": 128, "steps": 7}
    where = config_files.places(name, list(values))
    assert where["width"] == ("model", "width")
    with open(f"new-{name}", "w") as file:
        file.write(config_files.filled(name, where, values))
    with open(f"new-{name}") as file:
        text = file.read()
    if name == "c.yaml":
        assert text == FILES[name].replace("64", "128").replace("1e-3", "0.5").replace("steps:", "steps: 7")
    elif name == "c.toml":
        assert text == FILES[name].replace("64", "128").replace("0.001", "0.5").replace(
            "steps = 1", "steps = 7"
        )
    elif name == "c.json":
        assert json.loads(text) == {
            "model": {"width": 128},
            "optimizer": {"lr": 0.5, "name": "adam"},
            "steps": 7,
        }
    else:
        lines = text.split("\n")
        assert {"LR = 0.001", "lr = 0.5", "width = 128", "steps = 7", "name = adam"} <= set(lines)


def test_texts_and_lists_are_yaml_again():
    with open("c.yaml", "w") as file:
        file.write("a: x\nb:\n  - 1\n  - 2\nc: |\n  long\nd: 1\n")
    values = {"a": "yes: no", "b": [3], "c": True}
    where = config_files.places("c.yaml", list(values))
    assert yaml.safe_load(config_files.filled("c.yaml", where, values)) == {**values, "d": 1}


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("a: {lr: 1}\nb: {lr: 2}\n", ["lr"], "c.yaml: lr is there more than once: a.lr and b.lr; name it so"),
        ("learning_rate: 1\n", ["learning_rat"], "c.yaml has none of the parameters learning_rat; did you mean 'learning_rate'?"),
        ("a: [\n", ["a"], "c.yaml: this is not YAML: while parsing a flow node"),
    ],
)  # fmt: skip
def test_a_configuration_that_does_not_fit_is_an_error(text, names, message):
    with open("c.yaml", "w") as file:
        file.write(text)
    with pytest.raises(UserError) as caught:
        config_files.places("c.yaml", names)
    assert str(caught.value).startswith(message)
