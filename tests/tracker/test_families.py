"""Which metrics stand beside each other in the closing block, and which come first."""

import pytest

from capture.tracker.families import families


def shown(*metrics):
    return [(family.title, [label for label, _ in family.members]) for family in families(metrics)]


@pytest.mark.parametrize(
    ("metrics", "title", "labels"),
    [
        (["loss/train", "loss/val"], "loss", ["train", "val"]),
        (["epoch/accuracy", "epoch/val_accuracy"], "accuracy", ["train", "val"]),
        (["train/loss", "eval/loss"], "loss", ["train", "eval"]),
        (["test_acc", "train_acc"], "acc", ["train", "test"]),
        (["train-rmse", "validation_0-rmse"], "rmse", ["train", "validation"]),
        (["val loss", "train loss"], "loss", ["train", "val"]),
        (["loss", "evaluate/loss", "val_loss"], "loss", ["train", "evaluate", "val"]),
        (["training_auc", "valid_0_auc"], "auc", ["training", "valid"]),
        (["train_loss_avg", "val_loss_avg"], "loss_avg", ["train", "val"]),
    ],
)
def test_the_same_quantity_of_other_data_is_one_family(metrics, title, labels):
    assert shown(*metrics) == [(title, labels)]


def test_a_metric_alone_keeps_its_name():
    assert shown("val_loss") == [("val_loss", ["val"])]
    assert shown("metrics/mAP50(B)") == [("metrics/mAP50(B)", [""])]
    assert shown("epoch", "train") == [("epoch", [""]), ("train", ["train"])]


def test_what_was_held_out_comes_first_and_single_batches_after_the_other_losses():
    metrics = ["lr", "batch/loss", "batch/top2", "reward", "epoch/loss", "epoch/val_loss"]
    assert [title for title, _ in shown(*metrics)] == ["loss", "reward", "batch/loss", "lr", "batch/top2"]


def test_of_a_loss_of_each_step_and_one_of_each_evaluation_the_latter_comes_first():
    assert shown("loss", "loss/train", "loss/val") == [("loss", ["train", "val"]), ("loss", [""])]


def test_no_metric_is_left_out_or_shown_twice():
    metrics = ["valid_0_l2", "valid_1_l2", "val/loss", "eval/loss", "a/train/x", "b/train/x", "train_train"]
    found = [member.metric for family in families(metrics) for member in family.members]
    assert sorted(found) == sorted(metrics)
