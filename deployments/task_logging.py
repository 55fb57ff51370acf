"""Every log line that is written while a task is worked on carries the task's id."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

_task_id: ContextVar[str | None] = ContextVar("aige_task_id", default=None)
_make_record = logging.getLogRecordFactory()


def _record_with_task_id(*args: object, **kwargs: object) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    if (task_id := _task_id.get()) is not None:
        record.aige_task_id = task_id
    return record


def install() -> None:
    """Makes this process add `aige_task_id` to its log records; Ray Serve's JSON formatter writes all such fields."""
    logging.setLogRecordFactory(_record_with_task_id)


async def write_each_second(logger: logging.Logger) -> NoReturn:
    """Writes what `logger` holds back, for ever: Serve's throughput mode gathers a thousand lines in memory first."""
    while True:
        await asyncio.sleep(1)
        for handler in logger.handlers:
            handler.flush()


@contextmanager
def task_context(task_id: str) -> Iterator[None]:
    """Within it, log records carry `task_id`; threads started by `asyncio.to_thread` inherit it."""
    token = _task_id.set(task_id)
    try:
        yield
    finally:
        _task_id.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the fields that Ray Serve's own JSON logs have."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "asctime": self.formatTime(record),
            "levelname": record.levelname,
            "message": record.getMessage(),
            "aige_task_id": getattr(record, "aige_task_id", None),
            "exc_text": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in line.items() if value is not None})


def log_as_json(logger: logging.Logger) -> None:
    """Makes `logger` write JSON lines to standard error, in a process whose logs Serve does not set up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
