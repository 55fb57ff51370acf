"""Which ports can be had, told by trying."""

import socket
from collections.abc import Iterator

import pytest

from scripts import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_cannot_be_had(taken: int) -> None:
    """Neither where another listens, nor on all addresses at once."""
    assert not ports.is_free("127.0.0.1", taken)
    assert not ports.is_free("0.0.0.0", taken)


def test_port_0_is_any(taken: int) -> None:
    """A free one."""
    port = ports.try_port("127.0.0.1", 0)
    assert port not in (0, taken)
    socket.create_server(("127.0.0.1", port)).close()


def test_the_next_free_one_is_above(taken: int) -> None:
    """And 0 where there is none above."""
    above = ports.free_from("127.0.0.1", taken)
    assert above > taken
    assert ports.free_from("127.0.0.1", taken, but={above}) > above
    assert ports.free_from("127.0.0.1", ports.HIGHEST + 1) == 0


def test_a_block_has_no_taken_port_in_it(taken: int) -> None:
    """Whole blocks only, so that two runs do not share one."""
    among = range(taken - 1, taken + 9)
    block = ports.free_block("127.0.0.1", among, 2)
    assert block is None or taken not in block
    assert ports.free_block("127.0.0.1", range(taken, taken + 3), 3) is None


def test_a_host_of_another_machine_is_an_error() -> None:
    """Which says so."""
    with pytest.raises(OSError, match="Cannot assign requested address"):
        ports.try_port("192.0.2.1", 0)
