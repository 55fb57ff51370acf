"""Where log lines go in a process of Ray's: to Serve's logger, one JSON object a line."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from deployments.runtime import logs
from deployments.tasks.log_context import task_context


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests' log lines go where they went."""
    loggers = (logs.OURS, logs.SERVE)
    before = [(one.handlers, one.level, one.propagate) for one in loggers]
    factory = logging.getLogRecordFactory()
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)
    logging.setLogRecordFactory(factory)


@pytest.fixture
def lines() -> io.StringIO:
    """What an actor's process writes."""
    written = io.StringIO()
    logs.install_in_actor()
    (handler,) = logs.SERVE.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    return written


def test_a_line_is_one_json_object_with_its_task_s_id(lines: io.StringIO) -> None:
    """With the fields of Serve's own lines; a traceback is a field too."""
    with task_context("t-1"):
        logging.getLogger("deployments.media.upload").info("Sent %d bytes\nin two lines.", 5)
    logging.getLogger("deployments").error("It broke.", exc_info=ValueError("lost"))
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["levelname"], first["message"], first["aige_task_id"]) == (
        "INFO",
        "Sent 5 bytes\nin two lines.",
        "t-1",
    )
    assert "exc_text" not in first
    assert second["exc_text"].endswith("ValueError: lost")
    assert "aige_task_id" not in second


def test_serves_level_counts(lines: io.StringIO) -> None:
    """An operator who wants fewer lines has fewer of ours too."""
    logs.SERVE.setLevel(logging.ERROR)
    logging.getLogger("deployments").warning("hardly worth a line")
    logging.getLogger("deployments").error("worth a line")
    assert [json.loads(line)["message"] for line in lines.getvalue().splitlines()] == ["worth a line"]
