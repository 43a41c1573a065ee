"""Which files fit a pattern."""

import os

import pytest

from capture.files import finding
from capture.files.finding import LeadsOut, TooMany, find
from capture.files.rules import Rule


def fitting(pattern, **more):
    return list(find(Rule("file", pattern, **more), os.getcwd()))


def make(*paths):
    for path in paths:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        open(path, "w").close()


def test_patterns():
    make("a.pt", "b.txt", "ckpt/1/m.pt", "ckpt/2/m.pt", "ckpt/2/deep/m.pt", ".hidden.pt", "x[1].pt")
    assert fitting("a.pt") == ["a.pt"]
    assert fitting("*.pt") == ["a.pt", "x[1].pt"]
    assert fitting("ckpt/*/m.pt") == ["ckpt/1/m.pt", "ckpt/2/m.pt"]
    assert fitting("ckpt/?") == ["ckpt/1", "ckpt/2"]
    assert fitting("**/m.pt") == ["ckpt/1/m.pt", "ckpt/2/m.pt", "ckpt/2/deep/m.pt"]
    assert fitting(".hidden.pt") == [".hidden.pt"]
    assert fitting("x[[]1].pt") == ["x[1].pt"]
    assert fitting("missing/*.pt") == []
    assert fitting("ckpt/**") == ["ckpt/1/m.pt", "ckpt/2/m.pt", "ckpt/2/deep/m.pt"]


def test_a_deep_pattern_enters_no_hidden_folder_and_no_packages():
    make(".git/m.pt", "node_modules/m.pt", "lib/site-packages/m.pt", "capture-runs/p/m.pt", "out/m.pt")
    assert fitting("**/m.pt") == ["out/m.pt"]


def test_no_link_is_followed_out_of_the_folder(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pt").write_text("x")
    make("inside/m.pt")
    os.symlink(outside, "out")
    os.symlink(outside / "secret.pt", "link.pt")
    os.symlink("inside/m.pt", "last.pt")
    os.symlink("gone", "broken.pt")
    os.symlink(".", "inside/loop")
    assert fitting("*.pt") == ["last.pt"]
    assert fitting("*/secret.pt") == []
    assert fitting("**/m.pt") == ["inside/m.pt"]
    with pytest.raises(LeadsOut):
        fitting("out/*.pt")


def test_a_person_may_name_any_place(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "m.pt").write_text("x")
    os.symlink(outside, "out")
    assert fitting("out/*.pt", anywhere=True) == ["out/m.pt"]
    assert fitting(f"{outside}/*.pt", anywhere=True) == [f"{outside}/m.pt"]
    with pytest.raises(LeadsOut):
        fitting("../outside/*.pt")


def test_a_walk_is_bounded(monkeypatch):
    monkeypatch.setattr(finding, "MOST_ENTRIES", 10)
    make(*(f"f/{i}.pt" for i in range(11)))
    with pytest.raises(TooMany):
        fitting("f/*.pt")


@pytest.mark.parametrize(
    ("rule", "path", "name"),
    [
        (Rule("file", "out/model.tflite"), "out/model.tflite", "model.tflite"),
        (Rule("file", "ckpt/*.pt"), "ckpt/1.pt", "1.pt"),
        (Rule("file", "runs/*/best.pt"), "runs/7/best.pt", "7/best.pt"),
        (Rule("file", "**/best.pt"), "a/b/best.pt", "a/b/best.pt"),
        (Rule("file", "ckpt/*.pt", name="model"), "ckpt/1.pt", "model"),
        (Rule("table", "out/results.csv"), "out/results.csv", "results"),
        (Rule("image", "img/*.png"), "img/e1.png", "e1"),
        (Rule("plot", "out/pred.csv", "confusion_matrix"), "out/pred.csv", "pred/confusion_matrix"),
    ],
)
def test_names(rule, path, name):
    assert rule.name_of(path) == name
