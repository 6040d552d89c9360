"""A queue of media objects over virtual time: the figures of `make bench BENCH=queue`, with fewer of them."""

import pytest

from benchmarks.queue import Case, Queue


@pytest.mark.parametrize("spread", [1.2, None], ids=["polled", "called back"])
def test_slots_are_never_idle_while_somebody_waits(spread: float | None) -> None:
    result = Queue(Case("small", media=100, slots=10, seconds=120, spread=spread)).run()

    assert result.done == 100
    assert result.most_at_once == 10
    assert result.ratio <= 1.15
    assert result.displaced == 0, "all begin in the order of their arrival"
    assert (result.transitions, result.calls) == (3, 1), "that is what waiting costs, however long it is"


def test_slots_of_executions_that_crashed_come_back() -> None:
    result = Queue(Case("crashes", media=40, slots=5, seconds=120, crashes=5)).run()

    assert (result.done, result.most_at_once) == (40, 5)


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_two_thousand_wait_for_five_slots() -> None:
    result = Queue(Case("many", media=2000, slots=5, seconds=600)).run()

    assert (result.done, result.most_at_once, result.transitions, result.calls) == (2000, 5, 3, 1)
    assert result.ratio <= 1.15
