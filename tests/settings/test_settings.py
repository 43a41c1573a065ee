"""Settings: which file counts, which layer wins, and that a checked file is not checked again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capture import settings
from capture.errors import UserError
from capture.language import library
from capture.language.checked_yaml import Source
from capture.settings import Problems, assemble, layers_of, load, schema
from capture.settings.layers import FILE_VARIABLES, VARIABLES


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def here(options=None, environ=None):
    return load(".", environ or {"XDG_CONFIG_HOME": str(Path("../home/config").resolve())}, options or {})


def leniently(options=None, environ=None, parsers=()):
    """The settings without what is wrong, and what is wrong."""
    problems = Problems()
    return assemble(layers_of(".", environ or {}, problems), options or {}, parsers, problems), problems.lines


def given(*parsers):
    """The settings with these parsers of the command line."""
    found, wrong = leniently(parsers=parsers)
    assert wrong == []
    return found


def names(found):
    """The names in the parsers' texts."""
    texts = [text or Path(file).read_text() for file, text in found["parsers"]]
    return [library.load(Source(text, "x"), samples=False).name for text in texts]


def test_without_a_file_there_are_defaults():
    assert here() == {**settings.DEFAULTS, "parsers": []}


def test_the_later_layer_wins():
    write("../home/config/capture/capture.yaml", "project: user\ngroup: user\nnotes: user\nname: user")
    write("capture.yaml", "project: file\ngroup: file\nnotes: file")
    environ = {
        "XDG_CONFIG_HOME": str(Path("../home/config").resolve()),
        "CAPTURE_PROJECT": "env",
        "CAPTURE_GROUP": "env",
    }
    found = here({"project": "option", "group": None}, environ)
    assert [found[key] for key in ("project", "group", "notes", "name")] == ["option", "env", "file", "user"]


def test_the_nearest_file_counts(monkeypatch):
    write("capture.yaml", "project: outer")
    write("deep/pyproject.toml", "[tool.other]\nx = 1\n")
    Path("deep/er").mkdir()
    monkeypatch.chdir("deep/er")
    assert here()["project"] == "outer"
    write("../pyproject.toml", '[tool.capture]\nproject = "toml"\ntags = ["a", "b"]\n')
    assert (here()["project"], here()["tags"]) == ("toml", ["a", "b"])


def test_a_file_that_has_changed_is_read_again():
    write("capture.yaml", "project: one")
    assert here()["project"] == "one"
    write("capture.yaml", "project: other")
    assert here()["project"] == "other"


def test_a_file_that_has_not_changed_is_not_checked_again(monkeypatch):
    write("capture.yaml", "project: one")
    here()
    monkeypatch.setattr("capture.settings.schema.check", lambda *_: pytest.fail("checked again"))
    assert here()["project"] == "one"


PARSER = """\
name: mine
patterns:
  - line: "it {step:int}: obj {objective}"
samples:
  - {text: "it 1: obj 0.5", gives: {step: 1, metrics: {objective: 0.5}}}
"""


def test_formats_are_read_with_the_file_and_watched():
    write("parsers/mine.yaml", PARSER)
    write(
        "capture.yaml", 'parsers:\n  - parsers/mine.yaml\n  - {name: inline, patterns: [{line: "x {x}"}]}\n'
    )
    assert names(here()) == ["mine", "inline"]
    write("parsers/mine.yaml", PARSER.replace("name: mine", "name: changed"))
    assert names(here()) == ["changed", "inline"]


@pytest.mark.parametrize(("text", "says"), [
    ("projekt: x", r"capture\.yaml:1: unknown key 'projekt'; did you mean 'project'"),
    ("tty: maybe", r"capture\.yaml:1: tty:"),
    ("name: x\nparsers: [missing.yaml]", r"capture\.yaml:2: parsers: there is no file 'missing\.yaml'"),
    ("name: x\nto: wanbd", r"capture\.yaml:2: to: there is no backend 'wanbd'; did you mean 'wandb'\?"),
    ("wnadb: {entity: x}", r"capture\.yaml:1: unknown key 'wnadb'; did you mean 'wandb'\?"),
    ("parsers:\n  - name: a\n    patterns: [{line: 'it {step: loss {loss}'}]", r"capture\.yaml:3: patterns\.0\.line: '\{step' is not closed"),
    ("name: x\nproject: 'y\n", r"capture\.yaml:2: this is not YAML: .*quoted"),
    ("linger: x", r"capture\.yaml:1: linger: should be a number, not 'x'"),
    ("wait: -1", r"capture\.yaml:1: wait: should be at least 0, not -1"),
    ("unbuffer: perhaps", r"capture\.yaml:1: unbuffer: should be true or false, not 'perhaps'"),
    ("tty: alwys", r"capture\.yaml:1: tty: should be 'auto', 'always' or 'never', not 'alwys' \(did you mean 'always'\?\)"),
    ("project: on", r'project: should be text; YAML takes true, yes and on without quotes for True: put it in quotes'),
    ("project: 2024", r'capture\.yaml:1: project: should be text \("2024"\), not 2024'),
    ("config: 3", r"capture\.yaml:1: config: should be a mapping, not 3"),
    ("tags: {a: 1}", r"capture\.yaml:1: tags: should be a list"),
    ("parsers:\n  - name: x\n    patterns:\n      - lien: a", r"capture\.yaml:4: unknown key 'lien'"),
    ("linger: -1", r"capture\.yaml:1: linger:"),
    ("name: x\nevery: often", r"capture\.yaml:2: every: 'often' should be a time"),
    ("{", r"capture\.yaml:\d: this is not YAML"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text, says):
    write("capture.yaml", text)
    with pytest.raises(ValueError, match=says):
        here()


@pytest.mark.parametrize(("name", "value", "says"), [
    ("CAPTURE_TTY", "maybe", "CAPTURE_TTY=maybe: should be one of auto, always, never"),
    ("CAPTURE_WAIT", "long", "CAPTURE_WAIT=long: should be a number of seconds"),
    ("CAPTURE_COLLECT", "everything", "CAPTURE_COLLECT=everything: collect"),
    ("CAPTURE_UNBUFFER", "maybe", "CAPTURE_UNBUFFER=maybe: unbuffer: "),
    ("CAPTURE_RENAME", "{", r"CAPTURE_RENAME:\d: this is not YAML"),
    ("CAPTURE_PARSERS", "missing.yaml", r"parsers: there is no file 'missing\.yaml'"),
    ("CAPTURE_PROJCT", "x", "CAPTURE_PROJCT=x: there is no such variable; did you mean CAPTURE_PROJECT\\?"),
    ("CAPTURE_TO", "wanbd", "CAPTURE_TO: there is no backend 'wanbd'; did you mean 'wandb'\\?"),
    ("CAPTURE_WANDB", "{entiti: x}", "unknown key 'entiti'"),
])  # fmt: skip
def test_a_wrong_variable_is_explained(name, value, says):
    with pytest.raises(ValueError, match=says):
        here(environ={name: value})


def test_every_key_of_a_file_can_be_a_variable():
    write("mine.yaml", PARSER)
    found = here(
        environ={
            "CAPTURE_CONFIG": "{lr: 3e-4, name: a}",
            "CAPTURE_PARSERS": "mine.yaml",
            "CAPTURE_RENAME": "{epoch/val_loss: val_loss}",
            "CAPTURE_DROP": "lr",
            "CAPTURE_SCALE": "{mfu: 0.01}",
            "CAPTURE_UNBUFFER": "no",
            "CAPTURE_COLLECT": "git, packages",
            "CAPTURE_REDACT": r"['patient-\d+']",
            "CAPTURE_JSONL": "{path: out.jsonl}",
            "CAPTURE_OF_ANOTHER_PROGRAM": "{",
        }
    )
    wanted = {
        "config": {"lr": 3e-4, "name": "a"}, "rename": {"epoch/val_loss": "val_loss"}, "drop": ["lr"],
        "scale": {"mfu": 0.01}, "unbuffer": False, "collect": ["git", "packages"], "redact": [r"patient-\d+"],
        "jsonl": {"path": "out.jsonl"},
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted
    assert names(found) == ["mine"]
    assert "of_another_program" not in found


def test_the_variables_of_other_programs_do_not_slow_the_start(monkeypatch):
    monkeypatch.setattr("capture.settings.schema.of_variables", lambda *_: pytest.fail("checked"))
    here(
        environ={"CAPTURE_RUN_DIR": "x", "CAPTURE_LENIENT": "1", "CAPTURE_SCREEN": "1", "CAPTURE_NAME": "{a}"}
    )


def test_every_key_of_a_file_is_looked_for_among_the_variables():
    keys = {*VARIABLES, *FILE_VARIABLES}
    assert keys - {"id", "resume", "join"} == set(schema.Config.model_fields)


def test_variables_have_the_right_types():
    found = here(environ={"CAPTURE_TO": "wandb, jsonl", "CAPTURE_WAIT": "2.5"})
    assert (found["to"], found["wait"]) == (["wandb", "jsonl"], 2.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [("my-proj", "my/proj"), ("a.b", "a-b"), ("x" * 200 + "/1", "y" * 100 + "x" * 100 + "/1")],
)
def test_two_files_of_like_names_are_not_taken_for_each_other(monkeypatch, one, other):
    here_ = Path.cwd()
    for folder in (one, other):
        write(f"{folder}/capture.yaml", f"project: p{len(folder)}-{folder[:6]}")
    for folder in (one, other, one):
        monkeypatch.chdir(here_ / folder)
        assert here()["project"] == f"p{len(folder)}-{folder[:6]}"


def test_a_format_and_a_configuration_in_one_file_are_not_taken_for_each_other():
    write("capture.yaml", "project: one")
    here()
    wrong = leniently(parsers=["capture.yaml"])[1]
    assert any(line.startswith("capture.yaml:1: unknown key 'project'") for line in wrong)


def test_dates_of_yaml_become_text():
    """They ended in run.json, which has no dates: the command did not start."""
    write(
        "capture.yaml",
        "config: {start: 2024-01-31, at: 2024-01-31 12:00:00, lr: 1.0e-3, deep: {days: [2024-02-01]}}",
    )
    found = here()["config"]
    assert found == {
        "start": "2024-01-31",
        "at": "2024-01-31T12:00:00",
        "lr": 0.001,
        "deep": {"days": ["2024-02-01"]},
    }
    assert json.loads(json.dumps(found)) == here()["config"]


def test_a_tool_of_a_like_name_hides_no_file_above(monkeypatch):
    write("capture.yaml", "project: outer")
    write("deep/pyproject.toml", "[tool.capture-other]\nx = 1\n")
    monkeypatch.chdir("deep")
    assert here()["project"] == "outer"


def test_a_section_may_stand_in_parts(monkeypatch):
    write("pyproject.toml", "[tool.capture.config]\nlr = 0.1\n")
    assert here()["config"] == {"lr": 0.1}


@pytest.mark.parametrize("cache", ["", "{", "[]", '{"version": "0"}', "null"])
def test_a_broken_cache_is_made_anew(cache):
    write("capture.yaml", "project: one")
    here()
    (file,) = Path("../home/cache/capture").glob("*capture-yaml*")
    file.write_text(cache)
    assert here()["project"] == "one"
    assert json.loads(json.loads(file.read_text())["item"]) == {"project": "one"}


def test_a_cache_that_cannot_be_written_is_no_error(monkeypatch):
    write("blocked", "a file, no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("blocked").resolve()))
    write("capture.yaml", "project: one")
    assert here()["project"] == "one"


def test_a_format_of_the_command_line_comes_before_those_of_the_file_and_is_watched():
    write("mine.yaml", PARSER)
    write("capture.yaml", "parsers: [{name: inline, patterns: [{line: 'x {x}'}]}]")
    first = names(given("mine.yaml"))
    write("mine.yaml", PARSER.replace("name: mine", "name: changed"))
    again = names(given("mine.yaml"))
    assert (first, again) == (["mine", "inline"], ["changed", "inline"])


def test_folders_are_meant_from_where_the_file_stands(monkeypatch):
    write("capture.yaml", "dir: kept/runs\nparsers: [parsers/mine.yaml]")
    write("parsers/mine.yaml", PARSER)
    top = Path.cwd()
    (top / "deep").mkdir()
    monkeypatch.chdir("deep")
    assert here()["dir"] == str(top / "kept/runs")
    assert names(here()) == ["mine"]


INLINE = """\
project: one
parsers:
  - name: first  # a remark
    # patterns of ours
    patterns:
      - regex: >-
          x (?P<x>.*)

      - {line: "y {y}"}

  # the second
  - {name: second,
     patterns: [{line: "z {z}"}]}
tags: [a]
"""


def test_a_parser_in_a_configuration_keeps_its_text_and_its_lines():
    path = str(write("capture.yaml", INLINE).absolute())
    for found in (here(), here()):  # checked, and remembered
        (file, first), (_, second) = found["parsers"]
        assert file == path
        assert "name: first  # a remark\n    # patterns of ours\n" in first
        assert first.splitlines()[3:8] == INLINE.splitlines()[3:8]
        assert second.splitlines()[11:] == ["    {name: second,", '     patterns: [{line: "z {z}"}]}']
        assert names(found) == ["first", "second"]
    with pytest.raises(UserError, match=r"capture\.yaml:13: patterns\.0\.line: "):
        library.load(Source(second.replace("{z}", "{z:nope}"), path), samples=False)


@pytest.mark.parametrize(
    "text",
    [
        "tags: [a]\n<<: {parsers: [{name: a, patterns: [{line: 'x {x}'}]}]}",
        "parsers: [{name: a, patterns: &p [{line: 'x {x}'}]}, {name: b, patterns: *p}]",
        "parsers: [{name: a, patterns: [{line: 'x {x}'}]}, &b {name: b, patterns: [{line: 'y {y}'}], samples: [{text: y nan, gives: {metrics: {y: .nan}}}]}]",
        "parsers:\n- name: a\n  patterns:\n  - line: 'x {x}'\n-\n  name: b\n  patterns: [{line: 'y {y}'}]\n  notes: |+\n   long\n\n\n",
        "parsers:\r\n- name: a\r\n  patterns:\r\n  - line: 'é {x}'\r\n- &b\r\n  name: b\r\n  patterns: [{line: 'y {y}'}]",
    ],
)
def test_a_parser_in_a_configuration_can_be_any_yaml(text):
    write("capture.yaml", text)
    wanted = [repr(item) for item in Source(text, "x").data["parsers"]]
    found = [repr(Source(parser.text, "x").data) for parser in here()["parsers"]]
    assert found == wanted


def test_a_parser_in_pyproject_or_a_variable_becomes_yaml():
    write("pyproject.toml", "[[tool.capture.parsers]]\nname = 'toml'\npatterns = [{line = 'x {x}'}]\n")
    found = here()
    assert names(found) == ["toml"]
    assert found["parsers"][0].file == str(Path("pyproject.toml").absolute())
    found = here(environ={"CAPTURE_PARSERS": "[{name: variable, patterns: [{line: 'x {x}'}]}]"})
    assert (names(found), found["parsers"][0].file) == (["variable"], "CAPTURE_PARSERS")


def test_a_parser_from_a_pipe_is_read_once():
    read_end, write_end = os.pipe()
    os.write(write_end, PARSER.encode())
    os.close(write_end)
    (parser,) = given(f"/dev/fd/{read_end}")["parsers"]
    os.close(read_end)
    assert parser.text == PARSER


def test_parsers_of_the_users_own_file_count_where_the_project_names_none():
    write("../home/config/capture/capture.yaml", "parsers: [{name: own, patterns: [{line: 'x {x}'}]}]")
    write("capture.yaml", "project: one")
    assert names(here()) == ["own"]


def test_lenient_leaves_out_what_is_wrong_and_says_it(monkeypatch):
    write(
        "own.yaml",
        "name: own\npatterns: [{line: 'x {y}'}]\nsamples: [{text: x 1, gives: {metrics: {y: 1}}}]\n",
    )
    write(
        "capture.yaml",
        "projekt: x\nnotes: kept\nwait: -3\nto: jsonl,wandbb\nparsers:\n"
        "  - own.yaml\n  - nope.yaml\n  - name: bad\n    patterns: [{regex: '('}]\n",
    )
    environ = {"CAPTURE_TTY": "foo", "CAPTURE_LINGER": "0.5"}
    with pytest.raises(UserError) as raised:
        load(".", environ, {})
    assert len(str(raised.value).splitlines()) == 6
    found, ignored = leniently({"name": "n"}, environ, ["gone.yaml"])
    assert [found[key] for key in ("notes", "name", "linger", "wait", "tty", "to")] == [
        "kept", "n", 0.5, 30.0, "auto", ["jsonl"],
    ]  # fmt: skip
    assert names(found) == ["own"]
    said = "\n".join(ignored)
    for words in (
        "capture.yaml:1: unknown key 'projekt'", "capture.yaml:3: wait", "no file 'nope.yaml'",
        ":9: ", "gone.yaml: No such file", "CAPTURE_TTY=foo", "no backend 'wandbb'",
    ):  # fmt: skip
        assert words in said
    assert len(ignored) == 7


@pytest.mark.parametrize(("text", "says"), [
    ("[tool.capture]\nproject = 'x\n", r"pyproject\.toml:2: this is not TOML: "),
    ("[project]\nname = 'x'\n[tool.capture]\nnotes = 'x'\nprojct = 'x'\n", r"pyproject\.toml:5: unknown key 'projct'; did you mean 'project'\?"),
    ("[tool.capture.wandb]\nentity = 'x'\nentty = 'x'\n", r"pyproject\.toml:3: unknown key 'entty'; did you mean 'entity'\?"),
    ("[tool.capture]\nto = [\n  'wanbd',\n]\n", r"pyproject\.toml:2: to: there is no backend 'wanbd'"),
])  # fmt: skip
def test_what_is_wrong_in_pyproject_is_said_with_its_line(text, says):
    write("pyproject.toml", text)
    with pytest.raises(UserError, match=says):
        here()


def test_variables_of_other_programs_are_left_alone():
    assert leniently(environ={"CAPTURE_THE_FLAG": "1", "CAPTURE_RUN_DIR": "x"})[1] == []


def test_a_folder_uses_the_runs_folder_above_it():
    Path("capture-runs").mkdir()
    Path("a/b").mkdir(parents=True)
    top = Path("capture-runs").absolute()
    assert load(".", {}, {})["dir"] == "capture-runs"
    assert load("a/b", {}, {})["dir"] == str(top)
    Path("a/capture-runs").mkdir()
    assert load("a/b", {}, {})["dir"] == str(top.parent / "a" / "capture-runs")
    assert load("a/b", {"CAPTURE_DIR": "mine"}, {})["dir"] == "mine"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_the_runs_folder_of_somebody_else_above_is_not_used():
    Path("capture-runs").mkdir()
    Path("a").mkdir()
    os.chown("capture-runs", 12345, 12345)
    assert load("a", {}, {})["dir"] == "capture-runs"


@pytest.mark.parametrize("text", ["a: b: c", "- a\n- b\n", "\t", "x" * (1 << 21)])
def test_lenient_leaves_out_a_whole_file_that_is_no_configuration(text):
    write("capture.yaml", text)
    found, ignored = leniently()
    assert found == {**settings.DEFAULTS, "parsers": []}
    assert len(ignored) == 1


def test_a_remembered_configuration_imports_nothing_slow():
    write("mine.yaml", PARSER)
    write("capture.yaml", "project: one\nparsers: [mine.yaml, {name: inline, patterns: [{line: 'x {x}'}]}]\n")
    given("mine.yaml")
    code = (
        "import sys; from capture import settings; problems = settings.Problems()\n"
        "found = settings.assemble(settings.layers_of('.', {}, problems), {}, ['mine.yaml'], problems)\n"
        "print(len(found['parsers']), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, *modules = done.stdout.split()
    assert count == "3"
    assert {"yaml", "pydantic", "capture.language", "capture.settings.schema"}.isdisjoint(modules)
