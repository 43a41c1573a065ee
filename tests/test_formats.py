"""Format files: what is wrong in one is said with its file, its line and what would be right."""

import pytest

from capture import formats, samples
from capture.checked import Source, read
from capture.errors import BadInput

GOOD = """\
name: mine
patterns:
  - line: "it {step:int}: obj {objective}"
samples:
  - {text: "it 1: obj 0.5", gives: {step: 1, metrics: {objective: 0.5}}}
"""


def problem(text):
    with pytest.raises(BadInput) as error:
        formats.load(Source(text, "mine.yaml"))
    return str(error.value)


def test_a_format_is_five_lines():
    assert samples.check(formats.load(Source(GOOD, "mine.yaml"))) == []


@pytest.mark.parametrize(("change", "says"), [
    (("line:", "lien:"), "mine.yaml:3: unknown key 'lien'; did you mean 'line'?"),
    (("name: mine", "nmae: mine"), "mine.yaml:1: unknown key 'nmae'; did you mean 'name'?"),
    (("{step:int}", "{step:integer}"), "mine.yaml:3: patterns.0.line: {step:integer}: there is no kind 'integer'"),
    (('line: "it', 'regex: "(it'), "mine.yaml:3: patterns.0.regex: the regular expression does not compile:"),
    (("samples:", "notes: x\nother:"), "mine.yaml:5: unknown key 'other'"),
    (("metrics: {", "metric: {"), "unknown key 'metric'; did you mean 'metrics'?"),
    (("step: 1", "step: one"), "mine.yaml:5: samples.0.gives.0.step:"),
    (("patterns:", "patterns: [\n"), "mine.yaml:4: this is not YAML"),
])  # fmt: skip
def test_errors_name_the_place_and_what_would_be_right(change, says):
    assert says in problem(GOOD.replace(*change))


def test_samples_are_mandatory_in_a_file():
    assert "samples is missing" in problem(GOOD.partition("samples")[0])


@pytest.mark.parametrize(("extra", "says"), [
    ("    step: import os", "'import os' is not arithmetic on names"),
    ("    derive: {x: 'open(1)'}", "only arithmetic on names is"),
    ("    when: sometimes", "patterns.0.when"),
    ("    regex: x", "a pattern has either line: or regex:"),
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


def test_hostile_files_are_refused_in_one_sentence(tmp_path):
    assert "larger than" in problem("x" * 2_000_000)
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(7)
    )
    assert "mine.yaml" in problem(bomb)
    assert "mine.yaml" in problem("!!python/object/apply:os.system [echo]")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(BadInput, match=r"latin\.yaml: not UTF-8 text"):
        read(tmp_path / "latin.yaml")
    with pytest.raises(BadInput, match=r"missing\.yaml: No such file"):
        read(tmp_path / "missing.yaml")


@pytest.mark.parametrize("form", [form for form, _ in formats.built_in()], ids=lambda form: form.name)
def test_the_samples_of_every_built_in_format_pass(form):
    assert form.samples
    assert samples.check(form) == []


def test_the_cautious_reader_comes_last():
    assert [form.name for form, _ in formats.built_in()][-1] == "general"


def test_a_failing_sample_shows_the_difference():
    text = GOOD.replace("step: 1,", "step: 2,").replace("objective: 0.5", "objective: 0.5, other: 1")
    (failure,) = samples.check(formats.load(Source(text, "mine.yaml")))
    assert "it 1: obj 0.5" in failure
    assert "step: expected 2, got 1" in failure
    assert "metric other: expected 1.0, got nothing" in failure


def test_a_sample_that_gives_nothing_fails_when_it_gives_something():
    text = GOOD.replace("gives: {step: 1, metrics: {objective: 0.5}}", "gives: nothing")
    (failure,) = samples.check(formats.load(Source(text, "mine.yaml")))
    assert "expected nothing, got step 1" in failure
