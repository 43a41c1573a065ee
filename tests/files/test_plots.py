"""Plots: the numbers that are drawn, and the picture."""

from xml.etree import ElementTree

import pytest

from capture.files import svg
from capture.files.plots import NoPlot, draw
from capture.files.tables import TableReader

SCORES = "truth,score\n" + "".join(
    f"{t},{s}\n" for t, s in [(1, 0.9), (0, 0.8), (1, 0.7), (1, 0.6), (0, 0.2)]
)


def drawn(path, type, text, **options):
    path = path / "t.csv"
    path.write_text(text)
    with TableReader(str(path)) as reader:
        return draw(type, reader, options)


def test_a_confusion_matrix_of_a_row_for_each_example(tmp_path):
    text = "text,label,predicted\na,neg,neg\nb,neg,pos\nc,pos,pos\nd,pos,pos\n"
    content = drawn(tmp_path, "confusion_matrix", text, truth="label", prediction="predicted")
    assert content == {"labels": ["neg", "pos"], "counts": [[1, 1], [0, 2]]}


def test_labels_that_are_numbers_stand_in_their_order_and_named_ones_as_named(tmp_path):
    text = "truth,prediction\n10,9\n9,10\n2,2\n"
    assert drawn(tmp_path, "confusion_matrix", text)["labels"] == ["2", "9", "10"]
    content = drawn(tmp_path, "confusion_matrix", text, labels=[10, 3])
    assert (content["labels"], content["counts"][0]) == (["10", "3", "2", "9"], [0, 0, 0, 1])


def test_a_table_that_is_the_matrix_already(tmp_path):
    content = drawn(tmp_path, "confusion_matrix", ",cat,dog\ndog,1,5\ncat,4,2\n")
    assert content == {"labels": ["cat", "dog"], "counts": [[4, 2], [1, 5]]}


def test_a_line_leaves_out_what_is_no_number(tmp_path):
    content = drawn(
        tmp_path, "line", "epoch,loss,acc\n1,0.5,\n2,nan,\n3,0.25,0.9\n", x="epoch", y=["loss", "acc"]
    )
    assert content == {"columns": ["epoch", "loss", "acc"], "rows": [[1, 0.5, None], [3, 0.25, 0.9]]}


def test_of_very_many_points_every_so_many_is_kept(tmp_path):
    text = "x,y\n" + "".join(f"{i},{i}\n" for i in range(50_000))
    rows = drawn(tmp_path, "scatter", text, x="x", y=["y"])["rows"]
    assert 10_000 <= len(rows) < 20_000
    assert len({b[0] - a[0] for a, b in zip(rows, rows[1:], strict=False)}) == 1


def test_a_histogram(tmp_path):
    content = drawn(tmp_path, "histogram", "v\n0\n1\n1\n2\n4\nx\n", x="v", bins=4)
    assert content["rows"] == [[0, 1, 1], [1, 2, 2], [2, 3, 1], [3, 4, 1]]


def test_the_areas_are_those_of_scikit_learn(tmp_path):
    """roc_auc_score([1,0,1,1,0], [.9,.8,.7,.6,.2]) and average_precision_score of the same."""
    roc = drawn(tmp_path, "roc_curve", SCORES, truth="truth", score="score")
    assert roc["auc"] == pytest.approx(4 / 6)
    assert (roc["rows"][0], roc["rows"][-1], roc["positive"]) == ([0, 0], [1, 1], "1")
    curve = drawn(tmp_path, "pr_curve", SCORES, truth="truth", score="score")
    assert curve["average_precision"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


@pytest.mark.parametrize(("wanted", "label"), [(True, "on"), (False, "off"), ("off", "off")])
def test_a_label_that_yaml_takes_for_a_truth_value(tmp_path, wanted, label):
    text = "truth,score\non,0.9\noff,0.8\non,0.7\n"
    assert (
        drawn(tmp_path, "roc_curve", text, truth="truth", score="score", positive=wanted)["positive"] == label
    )


def test_equal_scores_are_one_threshold(tmp_path):
    text = "truth,score\n1,0.5\n0,0.5\n1,0.5\n0,0.5\n"
    roc = drawn(tmp_path, "roc_curve", text, truth="truth", score="score")
    assert (roc["rows"], roc["auc"]) == ([[0, 0], [1, 1]], 0.5)


@pytest.mark.parametrize(
    ("type", "options", "why"),
    [
        ("line", {"x": "epoch", "y": ["loss"]}, "there is no column 'epoch'; the columns are truth, score"),
        ("confusion_matrix", {"truth": "truth"}, "needs both truth and prediction"),
        ("confusion_matrix", {}, "say which columns hold the labels"),
        ("roc_curve", {"truth": "truth", "score": "score", "positive": 7}, "needs examples that are '7'"),
    ],
)
def test_what_the_table_lacks_is_said_in_a_sentence(tmp_path, type, options, why):
    with pytest.raises(NoPlot, match=why):
        drawn(tmp_path, type, SCORES, **options)


@pytest.mark.parametrize(
    ("type", "text", "options"),
    [
        ("confusion_matrix", 'truth,prediction\n<b>,"a & b"\n"a & b","a & b"\n', {}),
        ("line", "x,y,z\n1,2,3\n2,3,4\n", {"x": "x", "y": ["y", "z"]}),
        ("line", "x,y\n1,2\n", {"x": "x", "y": ["y"]}),
        ("scatter", "x,y\nmon,2\ntue,2\n", {"x": "x", "y": ["y"]}),
        ("bar", "x,y\n<script>,-2\nb,3\n", {"x": "x", "y": ["y"]}),
        ("histogram", "v\n1\n1\n", {"x": "v"}),
        ("roc_curve", SCORES, {"truth": "truth", "score": "score"}),
        ("pr_curve", SCORES, {"truth": "truth", "score": "score"}),
    ],
)
def test_every_plot_is_a_picture(tmp_path, type, text, options):
    picture = svg.picture(type, "<title> & more", drawn(tmp_path, type, text, **options))
    texts = [one.text for one in ElementTree.fromstring(picture).iter() if one.text]
    assert any("<title> & more" in text for text in texts)
    assert "<script" not in picture
