"""Turns: a bounded room, and nobody who waits for somebody else's receiver."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from deployments.tasks.turns import Turns


def taken(turns: Turns) -> list[tuple[str, str]]:
    """All that have a turn now."""
    found = []
    while (turn := turns.next()) is not None:
        found.append(turn)
    return found


def test_receivers_have_turns_one_after_the_other() -> None:
    """Each with its oldest first."""
    turns = Turns(100)
    for task_id in ("a1", "a2", "b1", "a3", "b2", "c1"):
        turns.add(task_id[0], task_id)
    assert [task_id for _, task_id in taken(turns)] == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_one_receiver_has_half_of_the_room_at_most() -> None:
    """However many wait for it: the other half is there for those who come later."""
    turns = Turns(8)
    for number in range(10_000):
        turns.add("dead", str(number))
    assert len(taken(turns)) == 4
    turns.add("fine", "x")
    assert taken(turns) == [("fine", "x")]


def test_several_share_it() -> None:
    """And there is room for one more, as long as there are fewer than may be under way."""
    turns = Turns(8)
    for receiver in ("dead 1", "dead 2", "dead 3"):
        for number in range(50):
            turns.add(receiver, str(number))
    assert len(taken(turns)) == 6
    turns.add("fine", "x")
    assert taken(turns) == [("fine", "x")]


def test_nothing_is_kept_of_receivers_that_are_done() -> None:
    """Their names come from callers: there may be any number of them."""
    turns = Turns(2)
    for number in range(5):
        turns.add("a", str(number))
    for _ in range(5):
        assert len(turns) == 1
        assert turns.next() is not None
        turns.ended("a")
    assert len(turns) == 0
    assert turns.next() is None


@given(st.lists(st.sampled_from("abcde"), max_size=60), st.integers(1, 9), st.randoms(use_true_random=False))
def test_all_have_their_turn_in_the_end(added: list[str], at_once: int, draw: Random) -> None:
    """The room is never exceeded, each receiver's order is kept, and one without any under way never waits for room."""
    turns, under_way, done = Turns(at_once), list[str](), dict[str, list[str]]()
    for number, receiver in enumerate(added):
        turns.add(receiver, str(number))
    while len(turns):
        for receiver, task_id in taken(turns):
            under_way.append(receiver)
            done.setdefault(receiver, []).append(task_id)
        assert 0 < len(under_way) <= at_once
        turns.ended(under_way.pop(draw.randrange(len(under_way))))
    assert done == {r: [str(n) for n, other in enumerate(added) if other == r] for r in set(added)}
