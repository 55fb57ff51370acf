"""The matrix of `tests.engines.matrix`: no row with two charges, and the second engine asked only where it may be."""

from pathlib import Path

import pytest

from tests.engines.matrix import ONWARD, ONWARD_IF_FREE, Row, cases, matrix

PAIRS = dict.fromkeys((first, second) for first, _, second, _ in cases())


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_no_row_has_two_charges(first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second engine does the work where the first certainly charges nothing; nowhere else is it asked at all."""
    async with matrix(tmp_path, monkeypatch) as made:
        for case in cases():
            if (case[0], case[2]) == (first, second):
                assert_sound(await made.row(case[0], case[1], case[2], dies=case[3]))


def assert_sound(row: Row) -> None:
    assert sum(row.charges) <= 1, row
    first, second = (name.replace("own", "openai") for name in (row.first, row.second))
    if row.outcome in ONWARD or (row.first == "own" and row.outcome in ONWARD_IF_FREE):
        assert (row.end, row.made_by, row.charges[0]) == ("done", (second,), 0), row
        assert row.notes[0].startswith(f"The engine {first} was passed over: it"), row
    else:
        assert row.posts[1] == 0, row
        assert row.made_by in {(), (first,)}, row
