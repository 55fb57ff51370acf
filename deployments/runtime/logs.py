"""Where this project's log lines go in a process of Ray's: to Ray Serve's logger, one JSON object a line."""

import asyncio
import json
import logging
from typing import NoReturn

from deployments.tasks.log_context import add_task_ids

OURS = logging.getLogger("deployments")
SERVE = logging.getLogger("ray.serve")

FLUSH_SECONDS = 1


class _ToServe(logging.Handler):
    """Hands a record on to Serve's logger, which has its own level and handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        if SERVE.isEnabledFor(record.levelno):
            SERVE.handle(record)


def install() -> None:
    """Sends what this project logs to Serve's logger; its JSON formatter writes `aige_task_id` too."""
    add_task_ids()
    OURS.handlers = [_ToServe()]
    OURS.setLevel(logging.INFO)
    OURS.propagate = False


async def write_each_second() -> NoReturn:
    """Writes what Serve holds back, for ever: its throughput mode gathers a thousand lines in memory first."""
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        for handler in SERVE.handlers:
            handler.flush()


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


def install_in_actor() -> None:
    """As `install`, in an actor: Serve sets up no logger there, so its lines go to standard error."""
    install()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    SERVE.handlers = [handler]
    SERVE.setLevel(logging.INFO)
    SERVE.propagate = False
