"""The configuration that programs print, in the shapes in which they do."""

import argparse
import dataclasses
import enum
import json
import pprint
from pathlib import PurePosixPath

import pytest
import yaml
from helpers import engine_of
from hypothesis import given
from hypothesis import strategies as st

from capture import records as records_module
from capture.language import library
from capture.parsers.printed_config import reprs
from capture.parsing.pipeline import Pipeline

CONFIG = [library.by_name("config")]


def records(text, parsers=None):
    pipeline = Pipeline(engine_of(parsers))
    found = pipeline.feed(text.encode(), 0) + pipeline.finish()
    assert not pipeline.engine.events
    return found


def printed(text):
    """All config in the text, the later over the earlier; no metrics but those after it."""
    return {name: value for record in records(text) for name, value in record.config.items()}


class Precision(enum.Enum):
    BF16 = "bf16"


@dataclasses.dataclass
class Optim:
    lr: float = 3e-4
    betas: tuple = (0.9, 0.95)


@dataclasses.dataclass
class TrainConfig:
    optim: Optim = dataclasses.field(default_factory=Optim)
    out: PurePosixPath = dataclasses.field(default_factory=lambda: PurePosixPath("runs/a, b"))
    precision: Precision = Precision.BF16
    resume: str | None = None
    text: str = "it's (odd]"


VALUES = {
    "batch_size": 64,
    "lr": 0.001,
    "seed": 42,
    "amp": True,
    "arch": "resnet18",
    "betas": [0.9, 0.999],
    "init": None,
}
OBJECTS = {
    "argparse": str(argparse.Namespace(**VALUES)),
    "argparse behind a name": f"args: {argparse.Namespace(**VALUES)}",
    "a logger's line": f"2026-11-21 15:00:00,123 INFO __main__ - Arguments: {VALUES}",
    "a dict": str(VALUES),
    "a dict, one value per line": pprint.pformat(VALUES, width=20),
    "a list that goes over lines": f"Config: {pprint.pformat(VALUES | {'ids': list(range(60))}, width=30)}",
    "JSON": json.dumps(VALUES),
    "indented JSON": json.dumps(VALUES, indent=2),
    "indented JSON of something": f"Model config BertConfig {json.dumps(VALUES, indent=2)}",
    "Hugging Face's arguments": "Training/evaluation parameters TrainingArguments(\n"
    + "".join(f"{name}={value!r},\n" for name, value in VALUES.items())
    + ")",
    "YAML": yaml.safe_dump(VALUES, default_flow_style=None, sort_keys=False),
    "names and values": "".join(f"{name}: {value}\n" for name, value in VALUES.items()),
    "assignments": "".join(f"{name} = {value}\n" for name, value in VALUES.items()),
    "at the right": "".join(f"{name:>20}: {value}\n" for name, value in VALUES.items()),
    "at the left": "Settings\n" + "".join(f"{name:20} {value}\n" for name, value in VALUES.items()),
    "Megatron": "------------ arguments ------------\n"
    + "".join(f"  {name} {'.' * (30 - len(name))} {value}\n" for name, value in VALUES.items())
    + "-------- end of arguments ---------",
    "a box": "╭────────────╮\n│ Hyperparameters    │\n├────────────┤\n"
    + "".join(f"│ {name:12} │ {value!s:20} │\n" for name, value in VALUES.items())
    + "╰────────────╯",
    "one line": "engine/trainer: " + ", ".join(f"{name}={value}" for name, value in VALUES.items()),
    "one line with bars": " | ".join(f"{name}: {value}" for name, value in VALUES.items()),
}  # fmt: skip


@pytest.mark.parametrize("shape", OBJECTS)
def test_the_same_config_in_the_shapes_of_many_programs(shape):
    found = printed(OBJECTS[shape] + "\nepoch 1: loss=0.5\n")
    found.pop("ids", None)
    assert found == VALUES
    assert {name: type(value) for name, value in found.items()} == {n: type(v) for n, v in VALUES.items()}
    assert records(OBJECTS[shape] + "\nepoch 1: loss=0.5\n")[-1].metrics == {"loss": 0.5}


def test_objects_inside_of_objects_are_joined_by_dots():
    assert printed(f"{TrainConfig()}\n") == {
        "optim.lr": 3e-4,
        "optim.betas": [0.9, 0.95],
        "out": "runs/a, b",
        "precision": "bf16",
        "resume": None,
        "text": "it's (odd]",
    }


@pytest.mark.parametrize(
    ("text", "config"),
    [
        # OmegaConf.to_yaml, detectron2
        ("model:\n  name: gpt\n  n_layer: 12\n  heads:\n  - 4\n  - big\ntrain:\n  lr: 1e-3\n  optim:\n    name: adam\n",
         {"model.name": "gpt", "model.n_layer": 12, "model.heads": [4, "big"], "train.lr": 0.001, "train.optim.name": "adam"}),
        # mmengine
        ("Config:\nscope = 'mm'\nmodel = dict(\n    type='A',\n    head=dict(depth=3, out=(3, )))\nlr = 0.1\n",
         {"scope": "mm", "model.type": "A", "model.head.depth": 3, "model.head.out": [3], "lr": 0.1}),
        # Hugging Face's Trainer
        ("***** Running training *****\n  Num examples = 25,000\n  Num Epochs = 3\n"
         "  Total train batch size (w. parallel, distributed & accumulation) = 8\nMemory footprint: 4 GB\n",
         {"num_examples": 25000, "num_epochs": 3, "total_train_batch_size": 8}),
        # DeepSpeed
        ("[2026-11-21 15:00:00,000] [INFO] [config.py:997:print] DeepSpeedEngine configuration:\n"
         "[2026-11-21 15:00:00,000] [INFO] [config.py:1001:print]   amp_enabled .................. False\n"
         "[2026-11-21 15:00:00,000] [INFO] [config.py:1001:print]   train_batch_size ............. 32\n",
         {"amp_enabled": False, "train_batch_size": 32}),
        # YOLOv5
        ("train: weights=yolov5s.pt, cfg=, epochs=3, batch_size=16, imgsz=640\n",
         {"weights": "yolov5s.pt", "cfg": "", "epochs": 3, "batch_size": 16, "imgsz": 640}),
        ("Training with lr=0.1 batch_size=32 epochs=10\n", {"lr": 0.1, "batch_size": 32, "epochs": 10}),
        ("batch size = 32, learning rate = 0.001, optimizer = adam\n",
         {"batch_size": 32, "learning_rate": 0.001, "optimizer": "adam"}),
    ],
)  # fmt: skip
def test_what_frameworks_print(text, config):
    assert printed(text) == config


@pytest.mark.parametrize(
    ("line", "name", "count"),
    [
        ("number of parameters: 15.19M", "number_of_parameters", 15_190_000),
        ("number of params (M): 28.59", "number_of_params", 28_590_000),
        ("# params: 1,234", "params", 1234),
        ("Total parameters = 7B", "total_parameters", 7_000_000_000),
        ("Trainable params: 643 (2.51 KB)", "trainable_params", 643),
        ("Non-trainable params: 0", "non_trainable_params", 0),
        ("10.8 K    Trainable params", "trainable_params", 10800),
        ("The model has 20,518,917 trainable parameters", "trainable_params", 20_518_917),
        ("Model GPT has 124,439,808 parameters", "total_params", 124_439_808),
    ],
)
@pytest.mark.parametrize("before", ["", "epoch 1: loss=0.5\n"], ids=["at first", "later"])
def test_how_many_parameters_a_model_has(line, name, count, before):
    assert printed(f"{before}{line}\n") == {name: count}


NO_CONFIG = {
    "help": "usage: train.py [-h]\n\npositional arguments:\n  data        path to the data\n  model       its name\n\n"
    "options:\n  seed        the seed\n  device      the device\n",
    "options and their opposites": "Untyped definitions and calls configuration:\n  --disallow-any-generics\n"
    "      specify explicit type parameters (inverse:\n      --allow-any-generics)\n      inverse: --allow\n      other: -x\n",
    "sentences": "Loading model configuration from cache.\nseed: the first of many words in a long sentence of no use\n"
    "device: cpu is what is used if nothing else is said\nmodel: see the documentation for what may stand here\n",
    "two rows": "seed: 1\nlr: 0.1\n",
    "a model": "Sequential(\n  (0): Linear(in_features=4, out_features=2)\n)\nDatasetDict({\n    train: Dataset({\n    })\n})\n",
    "packages": "Name: torch\nVersion: 2.1\nSummary: Tensors\nLicense: BSD\nLocation: /usr/lib\n",
    "the best of a search": "Best parameters: {'C': 1, 'kernel': 'rbf'}\n",
    "code": "    config = Config(path)\n    model = build(config, lr)\n",
}  # fmt: skip


@pytest.mark.parametrize("what", NO_CONFIG)
def test_what_is_no_config(what):
    assert records(NO_CONFIG[what]) == []


def test_metrics_are_no_config_and_are_not_lost_where_they_look_like_some():
    text = '{\n  "lr": 0.1,\n  "epochs": 3,\n  "eval_loss": 0.5\n}\nseed: 1\nepochs: 3\nepoch: 1\nval_loss: 0.25\n'
    found = records(text)
    assert [record.metrics for record in found] == [{"eval_loss": 0.5}, {"val_loss": 0.25}]


def test_an_object_without_an_end_hides_nothing():
    found = records("cfg = Config(lr=0.1,\nstill loading\nepoch 1: loss=0.5\nepoch 2: loss=0.25\n")
    assert [record.metrics for record in found] == [{"loss": 0.5}, {"loss": 0.25}]


def test_a_list_without_a_heading_is_config_only_before_the_first_metrics():
    rows = "seed: 1\nlr: 0.1\nepochs: 3\n"
    assert printed(rows) == {"seed": 1, "lr": 0.1, "epochs": 3}
    assert printed("epoch 1: loss=0.5\n" + rows) == {}
    assert printed("epoch 1: loss=0.5\nConfig:\n" + rows) == {"seed": 1, "lr": 0.1, "epochs": 3}
    assert printed("waiting\n" * 2000 + rows) == {}


def test_a_record_of_several_lines_stands_where_its_object_does():
    text = f"hello\nConfig: {json.dumps(VALUES, indent=2)}\nbye\n"
    (record,) = records(text)
    start, span = record.at
    assert text[start : start + span] == f"Config: {json.dumps(VALUES, indent=2)}"


def test_config_leaves_the_general_reader_alone_with_the_program():
    text = "Namespace(lr=0.1)\nTotal params: 12 (1 KB)\nglobal_step=20, episodic_return=[4.]\n"
    assert [record.metrics for record in records(text) if record.metrics] == [{"episodic_return": 4.0}]


def test_ever_new_names_take_no_more_memory():
    pipeline = Pipeline(engine_of(CONFIG))
    pipeline.feed("".join(f"Namespace(a{n}=1)\n" for n in range(3000)).encode(), 0)
    (source,) = pipeline.engine._sources
    assert len(source.states["config"].memory) == 1000


def test_two_streams_may_print_at_once():
    pipeline = Pipeline(engine_of())
    found = []
    for out, err in zip(["Config(", "lr=1,", ")"], ["Namespace(", "seed=2,", ")"], strict=True):
        found += pipeline.feed(f"{out}\n".encode(), 0, "stdout")
        found += pipeline.feed(f"{err}\n".encode(), 0, "stderr")
    assert [(record.config, record.context["stream"]) for record in found] == [
        ({"lr": 1}, "stdout"),
        ({"seed": 2}, "stderr"),
    ]


def test_a_command_that_is_started_again_prints_its_config_again():
    pipeline = Pipeline(engine_of())
    rows = b"seed: 1\nlr: 0.1\nepochs: 3\nepoch 1: loss=0.5\n"
    first = pipeline.feed(rows, 0)
    pipeline.resume()
    assert [r.config for r in pipeline.feed(rows, len(rows))] == [r.config for r in first]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.sets(st.integers(), max_size=2),
        max_leaves=5,
    )
)
def test_whatever_a_value_is_its_record_can_be_written(value):
    for record in records(f"Namespace(a={value!r}, b={json.dumps(value, default=list)})\n", CONFIG):
        assert records_module.from_json(records_module.to_line(record)).config.keys() == record.config.keys()


@given(st.text(alphabet="ab=:,'\"()[]{} \n\\.1", max_size=60))
def test_whatever_stands_there_it_is_read_without_an_error(text):
    for name, value in reprs.pairs(text):
        assert name
        assert isinstance(value, str)
    records(f"Config: {text}\nNamespace({text})\n{text}\n", CONFIG)
