"""Log lines about a task carry its id, in whichever thread they are written."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from deployments.tasks.log_context import add_task_ids, task_context

logger = logging.getLogger("deployments.tests")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests' log lines are as they were."""
    before = logging.getLogRecordFactory()
    add_task_ids()
    yield
    logging.setLogRecordFactory(before)


def ids(caplog: pytest.LogCaptureFixture) -> list[str | None]:
    return [getattr(record, "aige_task_id", None) for record in caplog.records]


async def test_each_task_has_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """Though they run at the same time; a thread has that of its task, and outside of any there is none."""

    async def work(task_id: str) -> None:
        with task_context(task_id):
            await asyncio.sleep(0)
            logger.warning("here")
            await asyncio.to_thread(logger.warning, "in a thread")

    await asyncio.gather(work("a"), work("b"))
    logger.warning("outside")
    assert sorted(ids(caplog)[:4], key=str) == ["a", "a", "b", "b"]
    assert ids(caplog)[4] is None


def test_a_task_within_another_ends_where_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    """The outer one goes on."""
    with task_context("outer"):
        with task_context("inner"):
            logger.warning("inner")
        logger.warning("outer")
    assert ids(caplog) == ["inner", "outer"]
