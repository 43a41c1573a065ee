"""The house: arrows between the folders of `capture/` go one way, and no module is a small house of its own."""

import ast
import re

import pytest
from helpers import ROOT

# Each may import from those before it.  The modules at the top (errors, records, ...) are everybody's.
FLOORS = [
    "redaction",
    "runs",
    "console",
    "language",
    "parsing",
    "many",
    "authoring",
    "delivery",
    "facts",
    "files",
    "watch",
    "tracker",
    "page",
    "relay",
    "collect",
    "settings",
    "sweep",
    "cli",
]
TOP = {path.stem for path in (ROOT / "capture").glob("*.py")}
# On the way of every start: the standard library only.
AT_START = ["cli/__init__", "cli/run", "cli/run_options", "settings/__init__", "settings/loading", "settings/layers",
            "cache", "settings/problems", "tracker/supervisor", "errors", "redaction/names",
            "redaction/redactor", "__init__"]  # fmt: skip
MODULES = sorted(path for top in ("capture", "parsers", "adapters") for path in (ROOT / top).rglob("*.py"))


def imports(path, everywhere=True):
    """The modules that a file imports; `everywhere=False` leaves out those inside of functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else tree.body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def folder_of(module):
    """The folder below `capture` that a module is in; "" for the modules at the top, None for others' code."""
    parts = module.split(".")
    if parts[0] != "capture":
        return None
    return parts[1] if len(parts) > 1 and (ROOT / "capture" / parts[1]).is_dir() else ""


@pytest.mark.parametrize("floor", FLOORS)
def test_a_folder_imports_only_from_those_below_it(floor):
    allowed = {"", *FLOORS[: FLOORS.index(floor) + 1]}
    for path in (ROOT / "capture" / floor).rglob("*.py"):
        found = {folder_of(module) for module in imports(path)} - {None}
        assert found <= allowed, f"{path.relative_to(ROOT)} imports from {sorted(found - allowed)}"


def test_every_folder_has_its_floor():
    assert {path.parent.name for path in (ROOT / "capture").glob("*/__init__.py")} == set(FLOORS)


def test_every_folder_is_in_the_wheel():
    text = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"packages = \[(.*?)\]", text, re.DOTALL)[1]
    missing = [floor for floor in FLOORS if f'"capture.{floor}"' not in listed]
    assert missing == []


def test_the_modules_at_the_top_import_no_folder_but_that_of_the_run():
    for name in TOP - {"__main__"}:
        path = ROOT / "capture" / f"{name}.py"
        if name == "__init__":  # the face: imports nothing until it is asked
            assert not {module for module in imports(path, everywhere=False) if folder_of(module) is not None}
            continue
        assert {folder_of(module) for module in imports(path)} <= {None, ""}, name


def test_the_core_knows_no_parser_and_no_backend_by_name():
    for path in (ROOT / "capture").rglob("*.py"):
        assert not {m for m in imports(path) if m.startswith(("capture.parsers.", "capture.adapters."))}, path


def test_there_is_no_circle_between_modules():
    graph = {}
    for path in (ROOT / "capture").rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = set()
        for module in imports(path):
            for candidate in (module, module.rpartition(".")[0]):
                place = ROOT.joinpath(*candidate.split("."))
                if place.with_suffix(".py").exists() or (place / "__init__.py").exists():
                    graph[name].add(candidate)
                    break
    done, way = set(), []

    def visit(module):
        assert module not in way, f"a circle: {' -> '.join([*way[way.index(module) :], module])}"
        if module in done or module == "capture":
            return
        way.append(module)
        for other in graph.get(module, ()):
            if not (other in module and module.startswith(f"{other}.")):  # a package's own face
                visit(other)
        way.pop()
        done.add(module)

    for module in graph:
        visit(module)


def test_no_module_is_longer_than_350_lines():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in MODULES
        if path != ROOT / "capture" / "door.py"  # one file, so that it can be copied beside a program
    }
    assert {name: length for name, length in lengths.items() if length > 350} == {}


def test_every_folder_says_what_is_in_it():
    for face in [*(ROOT / "capture").glob("*/__init__.py"), *(ROOT / "parsers").glob("*/__init__.py")]:
        assert ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))), face


@pytest.mark.parametrize("name", AT_START)
def test_what_every_start_imports_is_the_standard_library_alone(name):
    import sys

    path = ROOT / "capture" / f"{name}.py"
    if not path.exists():
        pytest.skip("not there")
    tops = {module.partition(".")[0] for module in imports(path, everywhere=False)}
    assert tops <= set(sys.stdlib_module_names) | {"capture", "__future__"}
