"""What the documents show has to be true: the YAML loads, the commands exist, the help is the real one."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, blocks

from capture import parse
from capture.authoring import samples
from capture.cli import COMMANDS
from capture.language import checked_yaml, library
from capture.settings import Problems, schema
from capture.sweep import schema as sweep_schema

_spec = importlib.util.spec_from_file_location("generate", Path(__file__).with_name("generate.py"))
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

YAML = [
    pytest.param(page, block, id=f"{page.name}-{i}")
    for page in PAGES
    for i, block in enumerate(blocks(page, "yaml"))
]


@pytest.mark.parametrize(("page", "block"), YAML)
def test_yaml_in_the_documents_works(page, block, tmp_path):
    if block.startswith("# job.yaml"):  # Kubernetes'
        command = yaml.safe_load(block)["spec"]["template"]["spec"]["containers"][0]["command"]
        assert command[0] == "capture" and "--" in command
        return
    if page.name == "kubernetes.md":  # part of one: a variable of ours
        (variable,) = yaml.safe_load(block)["env"]
        assert variable["name"] == "CAPTURE_JOIN"
        return
    source = checked_yaml.Source(block, page.name)
    if "method" in source.data:
        assert sweep_schema.check(source)
        return
    if "samples" in source.data:
        assert samples.check(library.load(source)) == []
        return
    (tmp_path / "mysolver.yaml").write_text(next(b for b in blocks(ROOT / "docs" / "parsers.md", "yaml")))
    (tmp_path / "capture.yaml").write_text(block)
    problems = Problems()
    assert schema.check(str(tmp_path / "capture.yaml"), problems)
    assert problems.lines == []


@pytest.mark.parametrize("block", blocks(ROOT / "docs" / "python.md", "python"))
def test_python_in_the_documents_runs(block):
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_key_of_the_configuration_is_explained():
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    for key in schema.Config.model_fields:
        assert f"\n{key}:" in page or f"`{key}`" in page, key


def test_there_is_yaml_to_check():
    assert len(YAML) >= 3


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_command_line_page_shows_the_real_help(name):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"```text\n{generate.help_of(name)}```" in page, "write it anew: python tests/docs/generate.py"


def test_the_page_of_formats_is_that_of_the_parsers():
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert page == generate.formats(), "write it anew: python tests/docs/generate.py"


def test_the_readme_shows_what_becomes_of_its_three_lines():
    page = ROOT / "README.md"
    lines, becomes = blocks(page, "text")[0].splitlines(), blocks(page, "json")[0].splitlines()
    assert len(lines) == len(becomes) == 3
    for line, shown in zip(lines, becomes):
        (record,) = parse(f"{line}\n".encode())
        wanted = json.loads(shown)
        metrics = {name: "NaN" if value != value else value for name, value in record.metrics.items()}
        assert [record.parser, record.step, metrics] == [wanted["parser"], wanted["step"], wanted["metrics"]]


def test_the_readme_counts_the_parsers():
    assert f"[{len(library.built_in())} parsers are built in]" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )


def test_every_page_is_on_the_site():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    for page in (ROOT / "docs").rglob("*.md"):
        assert re.search(rf"[ :]{re.escape(page.relative_to(ROOT / 'docs').as_posix())}$", nav, re.M), (
            page.name
        )


@pytest.fixture(scope="module")
def options():
    """Every option of every command, as their help names it."""
    return set(re.findall(r"(--[a-z][\w-]+)", "".join(generate.help_of(name) for name in COMMANDS)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documents_exist(page, options):
    for line in re.findall(r"(?:^|\s|/|`)capture ((?:-|[a-z])[^`\n]*)", page.read_text(encoding="utf-8")):
        words = re.split(r"(?:^|\s)--\s| && |\s*[|#]\s*", line)[0].split()
        if words and (words[0] in COMMANDS or words[0].startswith("--")):
            for word in words:
                if word.startswith("--") and word != "--":
                    assert word.partition("=")[0] in options | {"--version", "--help"}, line


def test_links_between_the_documents_lead_somewhere():
    for page in PAGES:
        text = re.sub(r"^    .*$", "", page.read_text(encoding="utf-8"), flags=re.M)  # what programs print
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
