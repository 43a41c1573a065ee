"""Steps and epochs that start over: a second training, or a second start of the command."""

from capture.parsing.restarts import Restarts


def located(restarts, *steps, metric="loss", context=None):
    """The training and the step of the metric at each of these steps."""
    positions = [restarts.locate("own", [metric], context or {}, step, None) for step in steps]
    return [(position.training, position.step) for position in positions]


def test_a_step_back_at_the_first_one_begins_a_new_training():
    assert located(Restarts(), 1, 2, 3, 1, 2) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


def test_a_step_that_is_only_repeated_begins_none():
    assert located(Restarts(), 5, 10, 15, 10) == [(1, 5), (1, 10), (1, 15), (1, 10)]


def test_the_end_of_an_epoch_that_names_no_step_begins_none():
    locate = Restarts().locate
    steps = [(1, 12), (1, 24), (1, None), (2, 12), (2, None)]
    assert [locate("p", {"loss"}, {}, step, epoch).training for epoch, step in steps] == [1, 1, 1, 1, 1]
    assert locate("p", {"loss"}, {}, None, 1).training == 2


def test_what_has_no_step_belongs_to_the_training_before():
    restarts = Restarts()
    assert located(restarts, 1, 2, 1)[-1] == (2, 1)
    assert located(restarts, None, metric="best") == [(2, None)]


def test_another_context_has_steps_of_its_own():
    restarts = Restarts()
    located(restarts, 1, 2, 3)
    assert located(restarts, 1, 2, context={"bar": "valid"}) == [(1, 1), (1, 2)]


def test_a_command_that_is_started_again_and_counts_from_its_beginning_goes_on_behind_what_was_there():
    restarts = Restarts()
    located(restarts, 0, 1, 2)
    restarts.resume()
    assert located(restarts, 0, 1) == [(1, 3), (1, 4)]
    restarts.resume()
    assert located(restarts, 0, 1) == [(1, 5), (1, 6)]


def test_a_command_that_is_started_again_at_its_true_step_keeps_it():
    restarts = Restarts()
    located(restarts, 1, 2, 3)
    restarts.resume()
    assert located(restarts, 3, 4) == [(1, 3), (1, 4)]


def trainings(restarts, *lines):
    """The training of each of these lines: an epoch and the metrics printed for it."""
    return [restarts.locate("own", metrics, {}, None, epoch).training for epoch, metrics in lines]


def test_the_next_model_may_print_a_new_metric_first():
    one, two = ["loss", "mae"], ["accuracy", "loss"]
    assert trainings(Restarts(), (1, one), (2, one), (1, two), (2, two)) == [1, 1, 2, 2]
    assert trainings(Restarts(), (1, two), (2, two), (1, one), (2, one)) == [1, 1, 2, 2]


def test_a_new_metric_in_the_epochs_of_the_others_begins_no_training():
    train, valid = ["loss", "acc"], ["val loss", "acc"]
    lines = [(1, train), (1, valid), (2, train), (2, valid), (2, ["test loss", "acc"])]
    assert trainings(Restarts(), *lines) == [1, 1, 1, 1, 1]
