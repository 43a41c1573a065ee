"""To which step the values beside a bar belong."""

import pytest

from capture.console.frames import Frame
from capture.parsing.bars import AheadBar, BehindBar, Drawing, ExactBar


def steps(bar, *drawings):
    """The steps and losses that are certain after these drawings, each a count and a loss or None."""
    settled = [s for count, loss in drawings for s in bar.refresh(drawing(count, loss))]
    return [(step, metrics["loss"]) for step, _, metrics in settled]


def drawing(count, loss=None, **more):
    return Drawing(count, {} if loss is None else {"loss": loss}, **more)


class TestValuesAheadOfTheirCount:
    def test_as_many_drawings_as_the_count_moves_are_a_step_each(self):
        assert steps(AheadBar(), (0, None), (0, 3), (0, 2), (2, 2)) == [(1, 3), (2, 2)]

    def test_only_new_values_are_steps_where_the_clock_was_drawn_too(self):
        assert steps(AheadBar(), (0, 3), (0, 3), (0, 2), (0, 2), (2, 2)) == [(1, 3), (2, 2)]

    def test_else_only_the_last_step_is_certain(self):
        assert steps(AheadBar(), (0, 3), (0, 2), (30, 2)) == [(30, 2)]

    def test_at_the_end_each_new_drawing_was_a_step(self):
        bar = AheadBar()
        assert steps(bar, (4, 3), (4, 3), (4, 2), (4, 1)) == [(4, 3)]
        assert [(s.step, s.metrics["loss"]) for s in bar.finish()] == [(6, 1)]
        assert bar.finish() == []

    def test_where_the_first_values_come_after_the_count_has_moved_all_do(self):
        bar = AheadBar()
        assert steps(bar, (0, None), (1, None), (1, 3), (2, 3), (2, 2), (2, 2), (3, 2), (3, 2)) == [
            (1, 3),
            (2, 2),
            (3, 2),
        ]
        assert bar.finish() == []
        # The next bar of this name may be drawn otherwise: its first values are beside its first count.
        assert steps(bar, (0, None), (0, 5), (1, 5), (1, 4), (2, 4)) == [(4, 5), (5, 4)]

    def test_a_value_of_every_second_step_and_more_says_nothing_of_the_order(self):
        assert steps(AheadBar(), (0, None), (1, None), (2, None), (2, 3), (3, 3)) == [(3, 3)]


class TestValuesBehindTheirCount:
    def test_a_value_that_only_stays_on_the_bar_is_not_of_the_next_count(self):
        assert steps(BehindBar(), (1, None), (1, 3), (2, 3), (2, 2)) == [(1, 3), (2, 2)]

    def test_an_equal_value_is_of_the_next_count_if_it_was_drawn_for_it(self):
        bar = BehindBar()
        drawn = [(n, loss) for n in range(1, 6) for loss in (max(n - 1, 1), n)]
        steps(bar, *drawn)
        assert steps(bar, (6, 5), (6, 5)) == [(6, 5)]

    def test_a_validation_drawn_once_the_next_bar_has_begun_is_of_the_epoch_before(self):
        bar = BehindBar()
        bar.refresh(drawing(60, epoch=1, placed=1, total=60))
        bar.refresh(drawing(0, epoch=2, placed=2, total=60))
        assert bar.refresh(drawing(0, 3, epoch=2, placed=2, total=60)) == [(60, 1, {"loss": 3})]


class TestValuesBesideTheirCount:
    def test_each_is_of_the_count_that_it_is_drawn_with(self):
        assert steps(ExactBar(), (1, 3), (2, 2)) == [(1, 3), (2, 2)]

    def test_a_drawing_in_which_only_the_clock_moved_is_nothing(self):
        assert steps(ExactBar(), (1, 3), (1, 3), (1, 2)) == [(1, 3), (1, 2)]

    def test_nothing_is_of_count_zero(self):
        assert steps(ExactBar(), (0, 3)) == []


@pytest.mark.parametrize("kind", [AheadBar, BehindBar, ExactBar])
class TestBarsThatFollowEachOther:
    def next_step(self, bar, *drawings):
        """The step of the last drawing."""
        settled = [bar.refresh(one) for one in drawings]
        return settled[-1][-1].step

    def test_steps_go_on_where_the_last_bar_ended(self, kind):
        assert self.next_step(kind(), drawing(60, 3), drawing(1, 2)) == 61

    def test_a_bar_that_is_erased_may_have_been_full(self, kind):
        frame = Frame(b"", "return", 0, 1, None, None)
        last = drawing(58, 3, total=60, frame=frame)
        assert self.next_step(kind(), last, drawing(1, 2, total=60, frame=frame)) == 61

    def test_a_log_may_hold_the_last_drawing_of_each_bar_alone(self, kind):
        def last(clock, loss):
            frame = Frame(f"100%|#| 60/60 [{clock}<00:00]".encode(), "newline", 0, 1, None, None)
            return drawing(60, loss, total=60, frame=frame)

        assert self.next_step(kind(), last("00:03", 3), last("00:02", 2)) == 120
        begun = drawing(59, 4, total=60, frame=last("00:03", 3).frame)
        assert self.next_step(kind(), begun, last("00:03", 3), last("00:04", 2), drawing(1, 1)) == 61

    def test_a_second_training_counts_from_zero(self, kind):
        assert self.next_step(kind(), drawing(60, 3, epoch=2), drawing(1, 2, epoch=1)) == 1
