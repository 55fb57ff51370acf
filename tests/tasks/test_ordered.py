"""Keys in order."""

from hypothesis import given
from hypothesis import strategies as st

from deployments.tasks.ordered import MOST, Ordered


@given(st.lists(st.integers(0, 40)), st.none() | st.integers(-1, 41))
def test_it_holds_what_a_sorted_list_would(toggled: list[int], below: int | None) -> None:
    """Whatever is added and removed, in whatever order, and from wherever it is read."""
    ordered, expected = Ordered[int](), set[int]()
    for key in toggled:
        if key in expected:
            ordered.remove(key)
        else:
            ordered.add(key)
        expected ^= {key}
        assert bool(ordered) == bool(expected)
    limit = 100 if below is None else below
    assert list(ordered.below(below)) == sorted((key for key in expected if key < limit), reverse=True)


def test_a_long_list_is_kept_in_blocks() -> None:
    """Added from the front, from the back and in between; then removed from both ends."""
    ordered, most = Ordered[int](), 5 * MOST
    for key in (*range(most, 2 * most), *range(most - 1, -1, -2), *range(most - 2, -1, -2)):
        ordered.add(key)
    assert list(ordered.below(None)) == list(range(2 * most - 1, -1, -1))
    for key in (*range(most), *range(2 * most - 1, most + 10, -1)):
        ordered.remove(key)
    assert list(ordered.below(most + 5)) == [most + 4, most + 3, most + 2, most + 1, most]
