"""Work on many things by several processes, with the results in the order of the things."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from capture.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 4  # results of each process that may wait for an earlier one


def in_order(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    begin: Callable[..., object] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """What `work` gives for each item, in the order of the items.

    Args:
        work: a function of a module, as are `begin` and what they take and give: processes exchange them.
        items: what to work on.
        jobs: how many processes; with one, or one item, the work is done here.
        begin: is called with `arguments` in each process first.

    Raises UserError if a process is killed: by the system, for want of memory.
    """
    if min(jobs, len(items)) <= 1:
        if begin:
            begin(*arguments)
        yield from map(work, items)
        return
    # Processes that are forked have everything imported.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else None)
    with ProcessPoolExecutor(min(jobs, len(items)), context, _begin, (begin, arguments)) as pool:
        waiting: deque[Future[Result]] = deque()
        rest = iter(items)
        try:
            for item in rest:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= jobs * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise UserError(
                f"a process was killed (out of memory?); with fewer than -j {jobs} each has more"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    """In each process: Ctrl-C is the business of the one that waits for them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if begin:
        begin(*arguments)
