"""Parser files: what is wrong in one is said with its file, its line and what would be right."""

import shutil
import sys

import pytest

from capture import plugins
from capture.authoring import samples
from capture.errors import UserError
from capture.language import library, run_parsers
from capture.language.checked_yaml import Source, read
from capture.language.model import Parser
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline

GOOD = """\
name: mine
patterns:
  - line: "it {step:int}: obj {objective}"
samples:
  - {text: "it 1: obj 0.5", gives: {step: 1, metrics: {objective: 0.5}}}
"""


def problem(text):
    with pytest.raises(UserError) as error:
        library.load(Source(text, "mine.yaml"))
    return str(error.value)


def test_a_format_is_five_lines():
    assert samples.check(library.load(Source(GOOD, "mine.yaml"))) == []


@pytest.mark.parametrize(("change", "says"), [
    (("line:", "lien:"), "mine.yaml:3: unknown key 'lien'; did you mean 'line'?"),
    (("name: mine", "nmae: mine"), "mine.yaml:1: unknown key 'nmae'; did you mean 'name'?"),
    (("{step:int}", "{step:integer}"), "mine.yaml:3: patterns.0.line: {step:integer}: there is no kind 'integer'"),
    (('line: "it', 'regex: "(it'), "mine.yaml:3: patterns.0.regex: the regular expression does not compile:"),
    (("samples:", "notes: x\nother:"), "mine.yaml:5: unknown key 'other'"),
    (("metrics: {", "metric: {"), "unknown key 'metric'; did you mean 'metrics'?"),
    (("step: 1", "step: one"), "mine.yaml:5: samples.0.gives.0.step:"),
    (("patterns:", "patterns: [\n"), "mine.yaml:4: this is not YAML"),
    (('line: "it {step:int}: obj {objective}"', "hello"), "mine.yaml:3: patterns.0: should be a mapping"),
    (('line: "it {step:int}: obj {objective}"', "line:"), "mine.yaml:3: patterns.0.line: should be text"),
])  # fmt: skip
def test_errors_name_the_place_and_what_would_be_right(change, says):
    assert says in problem(GOOD.replace(*change))


def test_samples_are_mandatory_in_a_file():
    assert "samples is missing" in problem(GOOD.partition("samples")[0])


@pytest.mark.parametrize(("extra", "says"), [
    ("    step: import os", "'import os' is not arithmetic on names"),
    ("    derive: {x: 'open(1)'}", "only arithmetic on names is"),
    ("    when: sometimes", "patterns.0.when"),
    ("    regex: x", "a pattern has exactly one of the keys line, regex, table, block, reader"),
    ("    second: x", "mine.yaml:4: patterns.0.second does not belong here; it is a key of: pattern with regex"),
    ("    cases: [{line: x}]", "mine.yaml:4: patterns.0.cases.0.line does not belong here; it is a key of: pattern with line"),
])  # fmt: skip
def test_patterns_are_checked(extra, says):
    text = GOOD.replace("samples:", extra + "\nsamples:")
    assert says in problem(text)
    assert "mine.yaml:" in problem(text)


def test_all_errors_are_said_at_once_in_the_order_of_their_lines():
    text = GOOD.replace("line:", "lien:").replace("text:", "txet:")
    lines = problem(text).splitlines()
    assert [line.split(":")[1] for line in lines] == sorted(line.split(":")[1] for line in lines)
    assert len(lines) >= 2


def test_an_expression_that_does_not_compile_is_said_together_with_other_errors():
    text = GOOD.replace('line: "it', 'regex: "(it').replace("samples:", "    stpe: 1\nsamples:")
    first, second = problem(text).splitlines()
    assert first.startswith("mine.yaml:3: patterns.0.regex: the regular expression does not compile")
    assert second == "mine.yaml:4: unknown key 'stpe'; did you mean 'step'?"


def test_hostile_files_are_refused_in_one_sentence(tmp_path):
    assert "larger than" in problem("x" * 2_000_000)
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(7)
    )
    assert "mine.yaml" in problem(bomb)
    assert "mine.yaml" in problem("!!python/object/apply:os.system [echo]")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(UserError, match=r"latin\.yaml: not UTF-8 text"):
        read(tmp_path / "latin.yaml")
    with pytest.raises(UserError, match=r"missing\.yaml: No such file"):
        read(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    "parser", [parser for parser, _ in library.built_in()], ids=lambda parser: parser.name
)
def test_the_samples_of_every_built_in_format_pass(parser):
    assert parser.samples
    assert samples.check(parser) == []


def test_the_built_in_parsers_are_loaded_once():
    assert library.built_in() is library.built_in()


def test_a_parser_is_the_same_after_it_was_written_and_read_again():
    for parser, _ in library.built_in():
        assert (
            Parser.model_validate(parser.model_dump(mode="json", by_alias=True, exclude_unset=True)) == parser
        )


def test_the_schema_has_one_model_for_each_kind_of_pattern():
    schema = Parser.model_json_schema()
    kinds = [part["$ref"].rpartition("/")[2] for part in schema["properties"]["patterns"]["items"]["oneOf"]]
    assert kinds == ["LinePattern", "RegexPattern", "TablePattern", "BlockPattern", "ReaderPattern"]
    assert all(not schema["$defs"][kind]["additionalProperties"] for kind in kinds)


def test_the_cautious_reader_comes_last():
    assert [parser.name for parser, _ in library.built_in()][-1] == "general"


def test_a_failing_sample_shows_the_difference():
    text = GOOD.replace("step: 1,", "step: 2,").replace("objective: 0.5", "objective: 0.5, other: 1")
    (failure,) = samples.check(library.load(Source(text, "mine.yaml")))
    assert "it 1: obj 0.5" in failure
    assert "step: expected 2, got 1" in failure
    assert "metric other: expected 1.0, got nothing" in failure


def test_a_sample_that_gives_nothing_fails_when_it_gives_something():
    text = GOOD.replace("gives: {step: 1, metrics: {objective: 0.5}}", "gives: nothing")
    (failure,) = samples.check(library.load(Source(text, "mine.yaml")))
    assert "expected nothing, got step 1" in failure


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that brings parsers: the folder of its YAML files."""
    site = tmp_path / "site"
    info = site / "third-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[capture.parsers]\nthird = third_formats\n")
    folder = site / "third_formats"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(site)
    forget_packages()
    yield folder
    sys.modules.pop("third_formats", None)
    forget_packages()


def forget_packages():
    plugins.installed.cache_clear()
    library.built_in.cache_clear()


def test_the_formats_of_an_installed_package_are_found(package):
    (package / "mine.yaml").write_text(GOOD)
    (package / "notes.txt").write_text("no parser")
    names = [parser.name for parser, _ in library.built_in()]
    assert "mine" in names
    assert names[-1] == "general"
    assert library.by_name("mine").patterns[0].line == "it {step:int}: obj {objective}"


def test_a_wrong_format_of_a_package_is_named_with_the_package(package):
    (package / "mine.yaml").write_text(GOOD.replace("line:", "lien:"))
    with pytest.raises(UserError, match=r"third/mine\.yaml:3: unknown key 'lien'"):
        library.built_in()


def test_a_package_that_is_gone_is_named(package):
    shutil.rmtree(package)
    with pytest.raises(UserError, match="behind 'third' can't be read: No module named 'third_formats'"):
        library.built_in()


def test_a_run_goes_on_with_the_formats_it_began_with_in_their_order(tmp_path):
    (tmp_path / "parsers").mkdir()
    for name, file in (("second", "001.yaml"), ("first", "000.yaml")):
        (tmp_path / "parsers" / file).write_text(GOOD.replace("mine", name).partition("samples")[0])
    assert [parser.name for parser in run_parsers.of_run(tmp_path / "parsers").own] == ["first", "second"]


def test_names_are_shown_where_there_is_no_such_format():
    with pytest.raises(
        UserError, match=r"there is no parser 'kears'; there are .*keras, .*tqdm, general, or name"
    ):
        library.by_name("kears")


@pytest.mark.parametrize(("short", "long"), [
    ("    if: epoch", "    if: [epoch]"),
    ("    remember: step", "    remember: {step: step}"),
    ("    remember: [step]", "    remember: {step: step}"),
    ("    axis: iter", "    axis: {iter: step}"),
    ("    drop: x", "    drop: [x]"),
    ("    step: 3", "    step: ['3']"),
])  # fmt: skip
def test_short_forms_mean_the_same_as_long_ones(short, long):
    one, other = (
        library.load(Source(GOOD.replace("samples:", text + "\nsamples:"), "mine.yaml"))
        for text in (short, long)
    )
    assert one == other


def test_an_expression_may_stand_on_several_lines():
    text = GOOD.replace(
        'line: "it {step:int}: obj {objective}"', "regex: ['it (?P<step>.+):', ' obj (?P<objective>.+)']"
    )
    assert samples.check(library.load(Source(text, "mine.yaml"))) == []


def test_a_sample_may_leave_out_what_it_does_not_care_about_but_no_metric():
    assert samples.check(library.load(Source(GOOD.replace("step: 1, ", ""), "mine.yaml"))) == []
    (failure,) = samples.check(library.load(Source(GOOD.replace("{objective: 0.5}", "{}"), "mine.yaml")))
    assert "metric objective: expected nothing, got 0.5" in failure


@pytest.mark.parametrize("source", ["-" * 5000 + "1", "(" * 5000 + "1" + ")" * 5000])
def test_an_endless_expression_is_an_error_like_any_other(source):
    assert "mine.yaml:4: patterns.0.step.0:" in problem(
        GOOD.replace("samples:", f"    step: '{source}'\nsamples:")
    )


def test_a_pattern_of_a_run_that_no_longer_compiles_is_switched_off_when_it_is_needed(tmp_path):
    (tmp_path / "parsers").mkdir()
    text = GOOD.replace('line: "it {step:int}: obj {objective}"', "regex: 'it (?P<x>[z-a])'")
    (tmp_path / "parsers" / "000.yaml").write_text(text.partition("samples")[0])
    parser = Engine(run_parsers.of_run(tmp_path / "parsers").own)
    Pipeline(parser).feed(b"hello\nit 1: obj 0.5\nit 2: obj 0.5\n", 0)
    (event,) = parser.events
    assert event.startswith("parser mine: a pattern failed on 'it 1: obj 0.5' (bad character range")
