"""Which run was best and why: `runs`, `show`, `compare`, `plot`, and what is changed afterwards.

`python tests/cli/test_looking.py` writes the screens anew.
"""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, capture, eventually, needs
from looking import make_runs

from capture import runs
from capture.errors import UserError
from capture.page import query, results

SCREENS_FOLDER = Path(__file__).parent / "screens"
SCREENS = {
    "runs": ["runs"],
    "runs-sorted": ["runs", "--sort", "val_loss"],
    "show": ["show", "20260101-000001-abcdef"],
    "compare": ["compare", "20260101-000000-abcdef", "20260101-000001-abcdef"],
    "plot": ["plot", "val_loss", "20260101-000000-abcdef", "20260101-000001-abcdef", "--height", "8"],
}


def screen(name, width, folder):
    """What a command prints on a terminal of this width."""
    done = capture(*SCREENS[name], cwd=folder, env={**os.environ, "COLUMNS": str(width), "TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "started 20" not in line and "  in  " not in line]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which three runs were made."""
    folder = tmp_path_factory.mktemp("looking")
    make_runs(folder / "capture-runs")
    return folder


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs("git")) if name == "compare" else name for name in SCREENS]
)
def test_a_screen_is_as_wide_as_the_terminal_and_as_it_was(name, width, folder):
    shown = screen(name, width, folder)
    assert max(map(len, shown.splitlines())) <= width
    assert shown == (SCREENS_FOLDER / f"{name}-{width}.txt").read_text()


def listed(folder, *options):
    """The names of the runs that are listed, in their order."""
    done = capture("runs", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [run["name"].split()[0] for run in json.loads(done.stdout)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("lr < 0.2", ["train-3", "train-1"]),
        ("lr == 0.3 or hidden = 32", ["train-3", "train-2"]),
        ("state == finished and not hidden == 8", ["train-3"]),
        ("val_acc > 0.9", ["train-2"]),
        ("name == 'train-2 lr=0.3 hidden=8'", ["train-2"]),
        ("lr > 5", []),
    ],
)
def test_runs_are_chosen_by_a_condition(condition, expected, folder):
    assert listed(folder, "--where", condition) == expected


def test_the_best_run_comes_last_and_alone(folder):
    assert (
        listed(folder, "--sort", "val_loss") == ["train-3", "train-1", "train-2"]
        or listed(folder, "--sort", "val_loss")[-1] == "train-2"
    )
    assert listed(folder, "--best", "val_loss") == ["train-2"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--where", "lrr < 1"], "did you mean 'lr'?"),
        (["--where", "lr <"], "runs: 'lr <' is no condition on runs, such as lr < 0.1 and state == finished"),
        (["--sort", "val_los"], "did you mean 'val_loss'?"),
        (["--best", "seed"], "doesn't tell whether high or low is good"),
        (["--columns", "zzz"], "no run has 'zzz'; there are val_loss, val_acc, loss, lr, hidden, seed"),
        (["--best", "oss"], "no run has 'oss'; there are val_loss, loss"),
        (["--best", "l_acc"], "did you mean 'val_acc'?"),
    ],
)
def test_a_mistake_gets_one_sentence(options, words, folder):
    done = capture("runs", *options, cwd=folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_csv_has_a_row_for_each_run_and_every_value(folder):
    rows = list(csv.DictReader(io.StringIO(capture("runs", "--csv", cwd=folder).stdout)))
    assert [row["config/lr"] for row in rows] == ["0.1", "0.3", "0.1"]
    assert float(rows[1]["val_loss best"]) == pytest.approx(min(_values(folder, 1, "val_loss")))


def _values(folder, place, name):
    path = folder / f"capture-runs/mnist/20260101-00000{place}-abcdef/records.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [record["metrics"][name] for record in records if name in record["metrics"]]


def test_the_index_can_be_thrown_away_and_follows_what_changes(folder, tmp_path):
    base = tmp_path / "capture-runs"
    (one, *_) = make_runs(base)
    first = listed(tmp_path)
    (base / results.INDEX).unlink()
    assert listed(tmp_path) == first
    with (one / "records.jsonl").open("a") as file:
        file.write(json.dumps({"time": 1.0, "parser": "general", "step": None, "epoch": 9, "context": {}, "at": [0, 1],
                               "metrics": {"val_loss": -5.0}}) + "\n")  # fmt: skip
    assert listed(tmp_path, "--best", "val_loss") == ["train-1"]
    (base / results.INDEX).write_text(json.dumps({"version": 1, "runs": {str(one): 5}}))
    assert listed(tmp_path, "--best", "val_loss") == ["train-1"]


def test_a_hyperparameter_is_not_taken_for_the_metric_of_its_name(tmp_path):
    """Each program prints an `lr` that decays to 0, and one was started with `--loss mse`."""
    folders = make_runs(tmp_path / "capture-runs", ((0.003, 8), (0.001, 8), (0.002, 8)))
    for folder, config in zip(
        folders, ({"lr": 0.003, "loss": "mse"}, {"lr": 0.001}, {"seed": 2}), strict=True
    ):
        (folder / "config.json").write_text(json.dumps({"command line": config}))
        text = (folder / "records.jsonl").read_text()
        (folder / "records.jsonl").write_text(text.replace('"val_acc"', '"lr": 0, "val_acc"'))
    listing = capture("runs", cwd=tmp_path, env={**os.environ, "COLUMNS": "200"}).stdout.splitlines()
    assert listing[0].split()[4:7] == ["seed", "lr", "loss"]
    place = listing[0].index(" lr ") + 1
    # The oldest comes first: it has no such hyperparameter, and an empty cell.
    assert [line[place : place + 5].strip() for line in listing[1:]] == ["", "0.001", "0.003"]
    columns = capture("runs", "--columns", "name,lr,loss", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[3] for line in columns[2:]] == ["0.001", "0.003"]
    assert "mse" not in "".join(columns)
    assert listed(tmp_path, "--where", "lr < 0.002") == ["train-2"]
    assert listed(tmp_path, "--sort", "lr") == ["train-3", "train-2", "train-1"]
    assert listed(tmp_path, "--best", "loss") == ["train-1"]


def test_a_condition_knows_names_of_several_words():
    holds = query.condition(
        "val loss < 0.5 and epoch/acc >= 0.9 and opt == adam", ["val loss", "epoch/acc", "opt"]
    )
    assert holds({"val loss": 0.4, "epoch/acc": 0.9, "opt": "adam"})
    assert not holds({"val loss": 0.4, "epoch/acc": 0.9, "opt": "sgd"})
    assert not holds({"epoch/acc": 0.9, "opt": "adam"})  # what is missing does not hold


def test_a_condition_runs_no_code():
    for text in ("__import__('os').system('true') == lr", "lr.__class__", "[lr for lr in 'ab']", "lr if"):
        with pytest.raises(UserError):
            query.condition(text, ["lr"])


def test_curves_of_several_metrics_share_an_axis(folder):
    shown = capture("plot", "*loss", cwd=folder, env={**os.environ, "COLUMNS": "80"}).stdout
    assert "━━ loss" in shown
    assert "━━ val_loss" in shown
    assert " step " in shown.splitlines()[-1]


def test_a_curve_that_is_not_there_gets_one_sentence(folder):
    for arguments, words in [
        (["plot", "val_los"], "did you mean 'val_loss'?"),
        (["plot", "loss", "--axis", "stepp"], "did you mean 'step'?"),
        (["plot", "loss", "--smooth", "3"], "less than 1"),
    ]:
        done = capture(*arguments, cwd=folder)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_on_a_terminal_curves_are_coloured_and_names_steer_nothing(folder):
    (one, *_) = [path.parent for path in folder.glob("capture-runs/*/20260101-000002-abcdef/run.json")]
    runs.write(one, runs.read(one)._replace(name="evil\x1b[2Jname"))
    try:
        arguments = [*CAPTURE[1:], "plot", "val_loss", one.name, "20260101-000001-abcdef"]
        with pexpect.spawn(sys.executable, arguments, cwd=str(folder), encoding="utf-8", timeout=100) as tty:
            shown = tty.read()
    finally:
        runs.write(one, runs.read(one)._replace(name="train-3 lr=0.1 hidden=32"))
    assert "\x1b[34m━━\x1b[0m evil\\x1b[2Jname" in shown
    assert "\x1b[33m" in shown
    assert "\x1b[2J" not in shown


def test_a_page_is_written_again_until_the_run_ends(tmp_path):
    (tmp_path / "train.py").write_text(
        "print('step 1 loss 0.5', flush=True)\ninput()\nprint('step 2 loss 0.25')\n"
    )
    with subprocess.Popen([*CAPTURE, "--to", "jsonl", "--", sys.executable, "train.py"], cwd=tmp_path,
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as training:  # fmt: skip
        eventually(lambda: any(p.read_text() for p in tmp_path.glob("capture-runs/*/*/records.jsonl")))
        with subprocess.Popen([*CAPTURE, "page", "--watch", "-o", "p.html"], cwd=tmp_path, text=True,
                              stdout=subprocess.PIPE) as page:  # fmt: skip
            assert "is written again while the runs go on" in page.stdout.readline()
            first = (tmp_path / "p.html").read_text()
            training.communicate(b"\n")
            assert "p.html: 1 run, " in page.communicate(timeout=100)[0]
    assert (tmp_path / "p.html").read_text() != first


def test_the_beginning_of_a_name_up_to_a_space_is_enough(folder):
    assert capture("show", "train-2", cwd=folder).stdout.startswith("mnist/train-2 lr=0.3 hidden=8\n")
    assert capture("show", "mnist/train-2 lr=0.3", cwd=folder).returncode == 0
    drawn = capture("plot", "val_loss", "train-1", "train-2", "--height", "6", cwd=folder)
    assert "━━ train-1 lr=0.1 hidden=8 val_loss" in drawn.stdout
    compared = json.loads(capture("compare", "train-1", "train-2", "train-3", "--json", cwd=folder).stdout)
    assert [run[:15] for run in compared["runs"]] == ["20260101-000000", "20260101-000001", "20260101-000002"]
    done = capture("show", "train", cwd=folder)  # the beginning of a word is not
    assert (done.returncode, "there is no run 'train'" in done.stderr) == (2, True)


def test_a_short_name_of_several_runs_lists_them_and_the_present_project_comes_first(tmp_path):
    (one, two, _) = make_runs(tmp_path / "capture-runs")
    runs.write(two, runs.read(two)._replace(name="train-1 lr=0.3"))
    done = capture("show", "train-1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "capture show: 2 runs are called 'train-1' and more; say which by its name or id: "
        f"'train-1 lr=0.1 hidden=8' ({one.name}), 'train-1 lr=0.3' ({two.name})\n"
    )
    runs.write(two, runs.read(two)._replace(project="other"))
    for options, found in ((["--dir", "../capture-runs"], "other"), (["--project", "mnist"], "mnist")):
        (tmp_path / "other").mkdir(exist_ok=True)
        done = capture("page", "train-1", *options, "-o", "p.html", cwd=tmp_path / "other")
        assert done.returncode == 0, done.stderr
        page = (tmp_path / "other" / "p.html").read_text()
        assert ("train-1 lr=0.3" in page) == (found == "other")
    assert capture("show", "mnist/train-1", cwd=tmp_path).returncode == 0
    # A whole name comes before the beginning of another's.
    runs.write(two, runs.read(two)._replace(project="mnist", name="train-1"))
    assert capture("show", "train-1", cwd=tmp_path).stdout.startswith("mnist/train-1\n")


@pytest.mark.parametrize(
    "words",
    [
        ["plot", "loss", "--height", "6", "train-1", "train-2"],
        ["plot", "--height", "6", "loss", "train-1", "--log", "train-2"],
        ["compare", "train-1", "--all", "train-2"],
        ["page", "train-1", "-o", "p.html", "train-2"],
        ["parse", "train-1", "--parser", "general", "train-2"],
        ["sync", "train-1", "--wait", "9", "train-2"],
        ["runs", "rm", "nope-1", "--force", "nope-2"],
    ],
)
def test_options_may_stand_between_the_runs(words, folder):
    done = capture(*words, cwd=folder)
    assert "one word too many" not in done.stderr
    assert (done.returncode, "no run 'nope-1'" in done.stderr) == ((2, True) if "rm" in words else (0, False))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plot", "loss", "last", "--height"], "--height wants a value"),
        (["plot", "loss", "--width", "--height", "6", "last"], "--width wants a value"),
        (["plot", "loss", "--heigth", "6", "last"], "did you mean --height?"),
        (["show", "last", "--heigth", "6"], "there is no option --heigth"),
        (["show", "last", "--json", "train-1"], "'train-1' is one word too many"),
        (["plot"], "METRIC is missing;"),
        (["tag", "last"], "capture tag: name a tag"),
    ],
)
def test_a_mistake_among_runs_and_options_is_named(words, says, folder):
    done = capture(*words, cwd=folder)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    "words", [["runs"], ["show", "train-1"], ["compare", "train-1", "train-2"], ["plot", "loss", "train-1"]]
)
def test_who_only_looks_at_runs_is_told_of_a_mistake_in_the_configuration_and_sees_them(words, tmp_path):
    make_runs(tmp_path / "capture-runs")
    (tmp_path / "capture.yaml").write_text("tgas: [x]\n")
    done = capture(*words, cwd=tmp_path)
    assert (done.returncode, "train-1" in done.stdout or "loss" in done.stdout) == (0, True)
    assert done.stderr == "capture: ignored here: capture.yaml:1: unknown key 'tgas'; did you mean 'tags'?\n"
    # What it is about has to be right, and who changes something has to know all of it.
    assert capture("runs", "rm", "train-1", cwd=tmp_path).returncode == 2
    assert capture("tag", "train-1", "x", cwd=tmp_path).returncode == 2
    (tmp_path / "capture.yaml").write_text("project: mnist\ndir: [elsewhere]\n")
    done = capture(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "capture.yaml:2: dir: should be text" in done.stderr
    assert capture(*words, "--dir", "capture-runs", cwd=tmp_path).returncode == 0


def test_a_growing_run_is_drawn_until_it_ends(tmp_path):
    script = "import sys, pathlib\nfor i in range(40): print('step', i, 'loss', 1 / (i + 1), flush=True)\nsys.stdin.read()\n"
    (tmp_path / "train.py").write_text(script)
    command = [sys.executable, "-m", "capture"]
    with subprocess.Popen([*command, "--to", "jsonl", "--", sys.executable, "train.py"], cwd=tmp_path,
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as training:  # fmt: skip
        eventually(
            lambda: any(
                len(p.read_text().splitlines()) == 40 for p in tmp_path.glob("capture-runs/*/*/records.jsonl")
            )
        )
        with subprocess.Popen(
            [*command, "plot", "loss", "-f"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as plot:
            assert "loss" in plot.stdout.readline()
            assert plot.poll() is None
            training.stdin.close()
            training.wait()
            plot.communicate(timeout=100)
            assert plot.returncode == 0


def test_tags_notes_and_names_are_changed_afterwards(tmp_path):
    (one, *_) = make_runs(tmp_path / "capture-runs")
    capture("tag", one.name, "baseline", "nightly", cwd=tmp_path)
    capture("note", one.name, "the first that works", cwd=tmp_path)
    capture("rename", one.name, "the good one", cwd=tmp_path)
    run = runs.read(one)
    assert (run.tags, run.notes, run.name) == (
        ["baseline", "nightly"],
        "the first that works",
        "the good one",
    )
    done = capture("rename", one.name, " ", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "capture rename: a name should not be empty\n")
    assert "no tags" not in capture("tag", "the good one", "nightly", "--remove", cwd=tmp_path).stdout
    assert runs.read(one).tags == ["baseline"]


def test_a_run_is_run_again_with_more_options(tmp_path):
    (tmp_path / "train.py").write_text("import sys\nprint('step 1 loss', sys.argv[-1])\n")
    capture(
        "--to", "jsonl", "--project", "p", "--tag", "a", "--", sys.executable, "train.py", "0.5", cwd=tmp_path
    )
    (tmp_path / "elsewhere").mkdir()
    done = capture("rerun", "--dir", tmp_path / "capture-runs", "--", "0.25", cwd=tmp_path / "elsewhere")
    assert done.stdout == "step 1 loss 0.25\n"
    last = [runs.read(path.parent) for path in tmp_path.glob("capture-runs/p/*/run.json")]
    last.sort(key=lambda run: run.start)
    assert [run.command[1:] for run in last] == [["train.py", "0.5"], ["train.py", "0.5", "0.25"]]
    assert last[1].tags == ["a"]


@needs("git")
def test_a_rerun_says_that_the_code_is_another(tmp_path):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "train.py").write_text("print('step 1 loss 0.5')\n")
    (tmp_path / ".gitignore").write_text("capture-runs\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    capture("--to", "jsonl", "--", sys.executable, "train.py", cwd=tmp_path)
    assert "the code is another" not in capture("rerun", cwd=tmp_path).stderr
    subprocess.run([*git, "commit", "-qm", "two", "--allow-empty"], cwd=tmp_path, check=True)
    assert "the code is another" in capture("rerun", cwd=tmp_path).stderr
    assert "->" in capture("compare", *[p.parent.name for p in tmp_path.glob("capture-runs/*/*/run.json")][:3],
                           cwd=tmp_path).stdout  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        make_runs(Path(place) / "capture-runs")
        (SCREENS_FOLDER).mkdir(exist_ok=True)
        for name in SCREENS:
            for width in (80, 120):
                (SCREENS_FOLDER / f"{name}-{width}.txt").write_text(screen(name, width, Path(place)))
