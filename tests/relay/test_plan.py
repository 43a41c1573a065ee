"""Which of the command's streams is a terminal, for each combination of terminals outside."""

import pytest

from capture.relay.plan import StreamPlan, plan_streams

T, F = True, False
NO_TERMINAL = StreamPlan((), (1, 2), False, None, None, False)


@pytest.mark.parametrize(
    ("terminals", "plan"),
    [
        # stdin, stdout, stderr      on terminal  pipes  shared  outer  keys  foreground
        ((T, T, T), StreamPlan((0, 1, 2), (), False, 0, "stdin", True)),
        ((T, T, F), StreamPlan((0, 1), (2,), False, 0, "stdin", True)),
        ((T, F, T), StreamPlan((0, 2), (1,), False, 0, "stdin", False)),
        ((T, F, F), NO_TERMINAL),
        ((F, T, T), StreamPlan((1, 2), (), False, 1, "/dev/tty", False)),
        ((F, T, F), StreamPlan((1,), (2,), False, 1, "/dev/tty", False)),
        ((F, F, T), StreamPlan((2,), (1,), False, 2, "/dev/tty", False)),
        ((F, F, F), NO_TERMINAL),
    ],
)
class TestEachCombinationOfTerminals:
    def test_by_default_each_stream_is_as_outside(self, terminals, plan):
        assert plan_streams(terminals) == plan

    def test_never_is_without_a_pseudo_terminal(self, terminals, plan):
        assert plan_streams(terminals, "never") == NO_TERMINAL

    def test_always_puts_both_outputs_on_one_and_leaves_the_rest_as_it_is(self, terminals, plan):
        always = plan_streams(terminals, "always")
        assert always.on_terminal == ((0, 1, 2) if terminals[0] else (1, 2))
        assert always.pipes == ()
        assert always.terminal_sink == 1
        assert always.outer == (terminals.index(T) if T in terminals else None)
        if T in terminals:
            assert always.keys == ("stdin" if terminals[0] else "/dev/tty")
            assert always.foreground == (terminals[0] and terminals[1])
        else:  # nobody else needs the keyboard, since there is none
            assert (always.keys, always.foreground) == (None, True)


@pytest.mark.parametrize(
    ("terminals", "sink"), [((T, T, T), 1), ((F, T, F), 1), ((T, F, T), 2), ((F, F, T), 2)]
)
def test_the_terminals_output_goes_to_the_terminal_outside(terminals, sink):
    assert plan_streams(terminals).terminal_sink == sink


def test_outputs_that_are_one_file_outside_share_a_pipe():
    assert plan_streams((F, F, F), same_output=True) == NO_TERMINAL._replace(pipes=(1,), shared_pipe=True)


def test_outputs_that_are_one_terminal_outside_share_none():
    assert plan_streams((T, T, T), same_output=True) == plan_streams((T, T, T))


@pytest.mark.parametrize(("closed", "pipes"), [((0,), (1, 2)), ((1,), (2,)), ((2,), (1,)), ((1, 2), ())])
def test_a_closed_stream_gets_no_pipe(closed, pipes):
    assert plan_streams((F, F, F), closed=closed) == NO_TERMINAL._replace(pipes=pipes)
    assert plan_streams((F, F, F), closed=closed, same_output=True).shared_pipe == (pipes == (1, 2))


def test_beside_a_terminal_a_closed_stream_gets_no_pipe():
    assert plan_streams((T, T, F), closed=(2,)).pipes == ()
