"""The run folder: its place, `run.json`, and what git says."""

import subprocess

from helpers import needs

from capture import runs
from capture.runs.git import git_state


def test_a_run_is_written_and_read_again(tmp_path):
    run = runs.Run("id", "p", "n", ["python", "train.py"], "/x", "host", 12.5, tags=["a"], config={"lr": 0.1})
    folder = runs.folder_of(tmp_path / "base", "p", "id")
    runs.create(folder, run)
    assert runs.read(folder) == run
    runs.write(folder, run._replace(end=13.0, exit_status=3, state="finished"))
    assert runs.read(folder).exit_status == 3


def test_a_command_of_any_bytes_is_described_in_text(tmp_path):
    run = runs.Run("id", "p", "n", ["cat", "caf\udce9"], "/x", "host", 12.5)
    runs.create(tmp_path / "run", run)
    assert runs.read(tmp_path / "run").command == ["cat", "caf?"]


def test_a_project_name_can_not_lead_out_of_the_folder():
    assert runs.folder_of("base", "../../etc", "id") == "base/etc/id"
    assert runs.folder_of("base", "a b/c", "id") == "base/a-b-c/id"
    assert runs.folder_of("base", "..", "id") == "base/project/id"


def test_ids_sort_by_time_and_differ():
    assert runs.new_id(0.0) < runs.new_id(1e9)
    assert len({runs.new_id(0.0) for _ in range(100)}) == 100


@needs("git")
def test_git_state_is_what_git_says(tmp_path):
    def git(*words):
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert git_state(tmp_path) == {}
    git("init", "-q", "-b", "work/x")
    assert git_state(tmp_path) == {"branch": "work/x"}
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    head = git("rev-parse", "HEAD")
    (tmp_path / "deep").mkdir()
    assert git_state(tmp_path / "deep") == {"branch": "work/x", "commit": head}
    git("pack-refs", "--all")
    assert git_state(tmp_path) == {"branch": "work/x", "commit": head}
    git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "other")
    assert git_state(tmp_path / "tree") == {"branch": "other", "commit": head}
    git("checkout", "-q", "--detach")
    assert git_state(tmp_path) == {"commit": head}
