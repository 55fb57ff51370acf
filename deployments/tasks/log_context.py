"""Every log line that is written while a task is worked on carries the task's id."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_task_id: ContextVar[str | None] = ContextVar("aige_task_id", default=None)
_make_record = logging.getLogRecordFactory()


def _record_with_task_id(*args: object, **kwargs: object) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    if (task_id := _task_id.get()) is not None:
        record.aige_task_id = task_id
    return record


def add_task_ids() -> None:
    """Makes this process add `aige_task_id` to its log records."""
    logging.setLogRecordFactory(_record_with_task_id)


@contextmanager
def task_context(task_id: str) -> Iterator[None]:
    """Within it, log records carry `task_id`; threads started by `asyncio.to_thread` inherit it."""
    token = _task_id.set(task_id)
    try:
        yield
    finally:
        _task_id.reset(token)
