"""The command that installs what is missing fits how capture was installed."""

import sys

import pytest
from helpers import capture

from capture import plugins
from capture.delivery import install, registry
from capture.errors import UserError

NEEDED = ["mlflow-skinny<4,>=3", "alembic"]


def test_in_an_environment_with_pip(monkeypatch):
    monkeypatch.setattr(install, "is_there", lambda module: True)
    assert install.command(NEEDED) == f"{sys.executable} -m pip install 'mlflow-skinny<4,>=3' alembic"


def test_in_an_environment_without_pip(monkeypatch):
    monkeypatch.setattr(install, "is_there", lambda module: False)
    assert install.command(NEEDED) == (
        f"uv pip install --python {sys.executable} 'mlflow-skinny<4,>=3' alembic"
    )


def test_as_pipx_has_it(tmp_path):
    (tmp_path / "capture-metrics").mkdir()
    (tmp_path / "capture-metrics" / "pipx_metadata.json").write_text("{}")
    said = install.command(NEEDED, str(tmp_path / "capture-metrics"))
    assert said == "pipx inject capture-metrics 'mlflow-skinny<4,>=3' alembic"


@pytest.mark.parametrize(("receipt", "rest"), [
    ('{ name = "capture-metrics" }', "capture-metrics"),
    ('{ name = "capture-metrics", extras = ["mlflow"], specifier = ">=0.1" }', "'capture-metrics[mlflow]>=0.1'"),
    ('{ name = "capture-metrics", directory = "/src/capture" }', "/src/capture"),
    ('{ name = "capture-metrics", editable = "/src/capture" }', "--editable /src/capture"),
    ('{ name = "capture-metrics", git = "https://x/y" }, { name = "swanlab", specifier = "<1" }', "--with 'swanlab<1' git+https://x/y"),
])  # fmt: skip
def test_as_uv_has_it_with_all_that_was_there(tmp_path, receipt, rest):
    (tmp_path / "uv-receipt.toml").write_text(f"[tool]\nrequirements = [{receipt}]\n")
    assert install.command(["alembic"], str(tmp_path)) == f"uv tool install --with alembic {rest}"


def test_a_damaged_receipt_is_no_crash(tmp_path):
    (tmp_path / "uv-receipt.toml").write_text("[")
    assert install.command(["alembic"], str(tmp_path)) == "uv tool install --with alembic capture-metrics"


def test_the_extra_of_the_adapters_package_says_what_is_needed():
    (point,) = [point for point in plugins.installed(plugins.ADAPTERS) if point.name == "mlflow"]
    names = [
        requirement.partition("<")[0].partition(">")[0]
        for requirement in install.of_extra(point.package, "mlflow")
    ]
    assert sorted(names) == ["alembic", "mlflow-skinny", "sqlalchemy"]
    assert install.of_extra(point.package, "nothing") == []
    assert install.of_extra("no-such-package", "mlflow") == []


def test_a_missing_library_is_said_before_the_start(monkeypatch):
    monkeypatch.setattr(install, "is_there", lambda module: module != "mlflow")
    with pytest.raises(
        UserError, match=r"mlflow: mlflow is not installed beside capture; install it with: .*skinny"
    ):
        registry.check(["mlflow"])


def test_the_command_does_not_start_without_it(tmp_path, monkeypatch):
    """A `sitecustomize` hides mlflow, as where the extra was not installed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'mlflow': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = capture("--to", "mlflow", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "capture: --to: mlflow: mlflow is not installed beside capture; install it with: "
    )
    assert done.stderr.count("\n") == 1
