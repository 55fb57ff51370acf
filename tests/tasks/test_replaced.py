"""Copies of immutable records."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from deployments.tasks.replaced import replaced


@dataclass(frozen=True)
class Record:
    name: str
    count: int = 0


def test_a_copy_is_as_dataclasses_makes_it() -> None:
    record = Record("a", 1)

    copy = replaced(record, count=2)

    assert copy == replace(record, count=2)
    assert record == Record("a", 1)
    assert hash(copy) == hash(Record("a", 2))


def test_a_copy_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        replaced(Record("a"), count=2).count = 3  # type: ignore[misc]


def test_a_field_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="Record"):
        replaced(Record("a"), counts=2)
