"""What is remembered of the built-in parsers is what their files say."""

import pytest
from pydantic import BaseModel

from capture import cache, runs
from capture.language import installed, known, library, required_text, run_parsers
from capture.language.checked_yaml import read
from capture.language.matchers import matcher


def put(folder):
    """The built-in parsers' files in a run's folder."""
    place = folder / runs.PARSERS / run_parsers.BUILT_IN
    place.mkdir(parents=True)
    for index, (name, text) in enumerate(installed.texts()):
        (place / f"{index:03}-{name.rpartition('/')[2]}").write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def files(tmp_path):
    """The built-in parsers' files, of which this process knows nothing yet."""
    forget()
    yield put(tmp_path / "run")
    forget()


def forget():
    """As in a new process."""
    known._known.cache_clear()
    required_text.known.clear()


def of_run(files):
    return run_parsers.of_run(files.parent)


def whole(item):
    """All that a model holds, with which of its keys the file has set."""
    if isinstance(item, BaseModel):
        values = {key: whole(value) for key, value in vars(item).items() if key != "samples"}
        return type(item), item.model_fields_set - {"samples"}, values
    if isinstance(item, list):
        return [whole(value) for value in item]
    return list(item.items()) if isinstance(item, dict) else item


def requirements(parsers):
    return [matcher(pattern).literals for parser in parsers for pattern in parser.patterns]


def test_the_second_run_has_the_same_parsers_and_reads_no_yaml(files, monkeypatch):
    first = of_run(files)
    expected, literals = [*map(whole, first.built_in)], requirements(first.built_in)
    assert first.problems == [] and len(first.built_in) == len([*files.iterdir()])
    forget()
    monkeypatch.setattr(library, "load", lambda *args, **options: pytest.fail("read the YAML again"))
    monkeypatch.setattr(required_text, "_required", lambda regex: pytest.fail(f"looked at {regex} again"))
    again = of_run(files)
    assert [*map(whole, again.built_in)] == expected
    assert requirements(again.built_in) == literals


@pytest.mark.parametrize("change", ["one more", "one less", "a digit", "another order"])
def test_other_files_are_read_anew(files, change):
    of_run(files)
    first, *_, last = sorted(files.iterdir())
    if change == "one more":
        (files / "999-mine.yaml").write_text("name: mine\npatterns: [{line: 'obj {obj}'}]\n")
    elif change == "one less":
        first.unlink()
    elif change == "a digit":
        last.write_text(last.read_text().replace("name: ", "name: x1"))
    else:
        first.rename(files / "999-first.yaml")
    wanted = [library.load(read(file), samples=False).name for file in sorted(files.iterdir())]
    for _ in range(2):
        forget()
        assert [parser.name for parser in of_run(files).built_in] == wanted


@pytest.mark.parametrize("item", [
    None, [], {}, {"parsers": {}}, {"parsers": []}, {"parsers": {"name": "x"}, "required": {"a": 3}},
    *({"parsers": data, "required": {}} for data in (
        {}, "x", {"name": "x"}, {"name": "x", "patterns": [{"as_": "config"}]}, {"name": "x", "patterns": [[]]},
    )),
])  # fmt: skip
def test_what_is_no_such_entry_is_made_anew(files, item, monkeypatch):
    texts = [file.read_bytes() for file in sorted(files.iterdir())]
    if item and item.get("parsers"):
        item["parsers"] = {known._digest(text): item["parsers"] for text in texts}
    monkeypatch.setattr(cache, "recall", lambda path, kind: item)
    assert known.recall(texts) is None
    assert len(of_run(files).built_in) == len(texts)


def test_parsers_of_other_versions_and_packages_are_kept_beside_each_other_but_not_without_end(
    files, monkeypatch
):
    for number in range(3):
        (files / "999-mine.yaml").write_text(f"name: mine{number}\npatterns: [{{line: 'obj {{obj}}'}}]\n")
        of_run(files)
    count = len([*files.iterdir()])
    assert len(known._known()) == count + 2
    monkeypatch.setattr(known, "MOST", 10)
    (files / "999-mine.yaml").write_text("name: mine\npatterns: [{line: 'obj {obj}'}]\n")
    of_run(files)
    assert len(known._known()) == count


def test_those_of_packages_are_the_same(files):
    assert [*map(whole, run_parsers.of_packages())] == [*map(whole, of_run(files).built_in)]


def test_a_file_that_is_wrong_is_left_out_and_said_each_time(files):
    (files / "500-wrong.yaml").write_text("name: wrong\npatterns: [{lien: x}]\n")
    for _ in range(2):
        forget()
        found = of_run(files)
        assert len(found.problems) == 1 and "unknown key 'lien'" in found.problems[0]
        assert "wrong" not in [parser.name for parser in found.built_in]
