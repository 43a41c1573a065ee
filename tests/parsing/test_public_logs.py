"""What is read of logs that people pasted in public places, and of programs that are no training."""

import pytest
from public_logs import LOGS, is_noise, score, total

TRAININGS = [log for log in LOGS if not is_noise(log)]
NOISE = [log for log in LOGS if is_noise(log)]


def test_there_are_enough_of_both():
    assert len(TRAININGS) >= 30
    assert len(NOISE) >= 20


def test_nearly_all_values_of_trainings_are_read_at_their_places():
    result = total(TRAININGS)
    assert result.found >= 0.95 * result.wanted, result
    assert result.spurious <= 0.02 * result.given, result
    assert result.placed >= 0.95 * result.placeable, result


@pytest.mark.parametrize("log", NOISE, ids=lambda log: log.name)
def test_what_is_no_training_gives_nothing(log):
    assert score(log).faults == []
