"""What the documents show has to be true: the YAML loads, the commands exist, the help is the real one."""

import os
import re
import subprocess
import sys

import pytest
from helpers import ROOT, blocks

from capture.authoring import samples
from capture.cli import COMMANDS
from capture.language import checked_yaml, library
from capture.settings import Problems, schema
from capture.sweep import schema as sweep_schema

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


YAML = [
    pytest.param(page, block, id=f"{page.name}-{i}")
    for page in PAGES
    for i, block in enumerate(blocks(page, "yaml"))
]


@pytest.mark.parametrize(("page", "block"), YAML)
def test_yaml_in_the_documents_works(page, block, tmp_path):
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
    assert f"```text\n{help_of(name)}```" in page, (
        "write it anew with: PYTHONPATH=tests python tests/docs/test_docs.py"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documents_exist(page):
    options = set(re.findall(r"(--[a-z][\w-]+)", "".join(help_of(name) for name in COMMANDS)))
    for line in re.findall(r"(?:^|\s|/|`)capture ((?:-|[a-z])[^`\n]*)", page.read_text(encoding="utf-8")):
        words = re.split(r"(?:^|\s)--\s| && |\s*[|#]\s*", line)[0].split()
        if words and (words[0] in COMMANDS or words[0].startswith("--")):
            for word in words:
                if word.startswith("--") and word != "--":
                    assert word.partition("=")[0] in options | {"--version", "--help"}, line


def test_links_between_the_documents_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def help_of(name):
    done = subprocess.run(
        [sys.executable, "-m", "capture", name, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    return done.stdout


if __name__ == "__main__":
    path = ROOT / "docs" / "commands.md"
    head = "# Commands\n\nThe help of each command, as `capture COMMAND --help` prints it.\n"
    path.write_text(
        head + "".join(f"\n## capture {n}\n\n```text\n{help_of(n)}```\n" for n in COMMANDS), encoding="utf-8"
    )
