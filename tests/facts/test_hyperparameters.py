"""The hyperparameters that stand in a command line, of the kinds that people type."""

import shlex
from pathlib import Path

import pytest

from capture.facts.hyperparameters import of_command, of_files, read_file

LINES = {
    # argparse and friends
    "python train.py --lr 3e-4 --epochs 10": {"lr": 3e-4, "epochs": 10},
    "python train.py --lr=3e-4 --name=base": {"lr": 3e-4, "name": "base"},
    "python3.11 -u train.py -b 8 -j4 --amp": {"b": 8, "j": 4, "amp": True},
    "python train.py --no-shuffle --use-ema": {"shuffle": False, "use_ema": True},
    "python train.py --layers 64 64 32 data.csv": {"layers": [64, 64, 32]},
    "python train.py --bias -0.5 --seed -1": {"bias": -0.5, "seed": -1},
    "python -m pkg.train --lr 0.1": {"lr": 0.1},
    "python -c 'import train; train.main()' --lr 0.1": {"lr": 0.1},
    "python -W ignore train.py --lr 0.1": {"lr": 0.1},
    "python train.py data/ --betas (0.9,0.95)": {"betas": [0.9, 0.95]},
    "python main.py --arch resnet50 --dist-url tcp://127.0.0.1:1 /data/imagenet": {
        "arch": "resnet50", "dist_url": "tcp://127.0.0.1:1"},
    "python run.py --resume": {"resume": True},
    "python run.py -- --lr 0.1": {"lr": 0.1},
    # Hydra, OmegaConf
    "python train.py model=gpt optimizer.lr=3e-4 +trainer.fast=true": {
        "model": "gpt", "optimizer.lr": 3e-4, "trainer.fast": True},
    "python train.py -m seed=1,2,3 ++a.b=null": {"m": True, "seed": "1,2,3", "a.b": None},
    "python train.py 'layers=[64, 32]'": {"layers": [64, 32]},
    # launchers
    "torchrun --nproc-per-node 2 train.py --batch-size 32": {"batch_size": 32},
    "torchrun --standalone --nnodes=1 -m pkg.train --lr 1": {"lr": 1},
    "accelerate launch --num_processes 2 --mixed_precision fp16 train.py --lr 1e-5": {"lr": 1e-5},
    "accelerate launch -m pkg.train --lr 1e-5": {"lr": 1e-5},
    "deepspeed --num_gpus=2 train.py --deepspeed --zero 3": {"deepspeed": True, "zero": 3},
    "python -m torch.distributed.run --nproc_per_node=2 train.py --lr 0.1": {"lr": 0.1},
    "srun -n 4 python train.py --lr 0.1": {"lr": 0.1},
    "env CUDA_VISIBLE_DEVICES=0 OMP_NUM_THREADS=1 python train.py --lr 0.1": {"lr": 0.1},
    "nice -n 10 python train.py --lr 0.1": {"lr": 0.1},
    "timeout 3600 python train.py --lr 0.1": {"lr": 0.1},
    "nohup python train.py --lr 0.1": {"lr": 0.1},
    "uv run train.py --lr 0.1": {"lr": 0.1},
    "conda run -n env python train.py --lr 0.1": {"lr": 0.1},
    # shells
    "sh -c 'cd x && python train.py --lr 0.1 2>&1 | tee log --append'": {"lr": 0.1},
    "bash -c 'A=1 python train.py --lr 0.1'": {"lr": 0.1},
    "bash run.sh --lr 0.1": {"lr": 0.1},
    # llama2.c, nanoGPT
    "python train.py --out_dir=out --batch_size=8 --compile=False --device=cpu": {
        "out_dir": "out", "batch_size": 8, "compile": False, "device": "cpu"},
    # Hugging Face's examples
    "python run_glue.py --model_name_or_path bert-base-cased --do_train --do_eval --max_seq_length 128 "
    "--per_device_train_batch_size 32 --learning_rate 2e-5 --num_train_epochs 3.0": {
        "model_name_or_path": "bert-base-cased", "do_train": True, "do_eval": True, "max_seq_length": 128,
        "per_device_train_batch_size": 32, "learning_rate": 2e-5, "num_train_epochs": 3.0},
    # programs that are no scripts
    "yolo detect train data=coco8.yaml model=yolo11n.pt epochs=3 imgsz=640 lr0=0.01": {
        "data": "coco8.yaml", "model": "yolo11n.pt", "epochs": 3, "imgsz": 640, "lr0": 0.01},
    "xgboost mushroom.conf max_depth=3 eta=0.1": {"max_depth": 3, "eta": 0.1},
    "lightgbm config=train.conf num_trees=10": {"config": "train.conf", "num_trees": 10},
    "./fasttext supervised -input train.txt -output model -lr 0.5 -epoch 25": {
        "input": "train.txt", "output": "model", "lr": 0.5, "epoch": 25},
    "vw -d train.dat -l 0.5 --passes 3 --holdout_off": {
        "d": "train.dat", "l": 0.5, "passes": 3, "holdout_off": True},
    "svm-train -s 0 -c 5 -t 2 heart_scale": {"s": 0, "c": 5, "t": 2},
    "./a.out": {},
    "make train": {},
}  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:40])
def test_a_command_line(line):
    found = of_command(shlex.split(line.replace("(0.9,0.95)", "'(0.9,0.95)'")))
    assert found == LINES[line]
    assert {name: type(value) for name, value in found.items()} == {
        n: type(v) for n, v in LINES[line].items()
    }


def test_there_are_more_than_thirty():
    assert len(LINES) > 30


def test_configuration_files_that_the_command_names():
    Path("base.yaml").write_text("lr: 3e-4\nmodel: {depth: 3, name: gpt, layers: [1, 2]}\nwhen: 2026-01-01\n")
    Path("more.json").write_text('{"a": {"b": null}, "c": true}')
    Path("pipe.toml").write_text("[train]\nsteps = 10\n")
    Path("llama.py").write_text(
        "# comment\nbatch_size = 128\nlr: float = 5e-4\n_private = 1\nwarm, up = 1, 2\nx = run()\nname = 'a' \n"
    )
    words = shlex.split(
        "python train.py llama.py --config base.yaml --more=more.json cfg=pipe.toml other.txt"
    )
    assert of_files(words, Path.cwd()) == {
        "llama.py": {"batch_size": 128, "lr": 5e-4, "name": "a"},
        "base.yaml": {
            "lr": 3e-4,
            "model.depth": 3,
            "model.name": "gpt",
            "model.layers": [1, 2],
            "when": "2026-01-01",
        },
        "more.json": {"a.b": None, "c": True},
        "pipe.toml": {"train.steps": 10},
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.yaml", "a: b: c"), ("a.yaml", "- 1\n- 2"), ("a.json", "{"), ("a.toml", "="), ("a.py", "def"),
     ("a.yaml", "!!python/object/apply:os.system ['touch hacked']"), ("a.py", "import os; os.system('touch hacked')"),
     ("a.yaml", "a: " + "x" * 300_000), ("a.txt", "a: 1")],
)  # fmt: skip
def test_what_is_no_configuration_gives_nothing_and_does_nothing(name, text):
    Path(name).write_text(text)
    assert read_file(Path(name)) == {}
    assert not Path("hacked").exists()
