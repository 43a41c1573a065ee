"""What is known of a metric by its name."""

import pytest

from capture.metrics import better


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("val_loss", "min"),
        ("WER", "min"),
        ("test/acc", "max"),
        ("episode_reward", "max"),
        ("训练损失", "min"),
        ("验证集准确率", "max"),
        ("손실", "min"),
        ("정확도", "max"),
        ("Verlust", "min"),
        ("acurácia", "max"),
        ("lr", ""),
        ("loss score", ""),
    ],
)
def test_whether_the_lowest_or_the_highest_value_is_the_best(name, wanted):
    assert better(name) == wanted
