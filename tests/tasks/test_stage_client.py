"""Calls to stages: what comes back does not pile up in memory, and a task that has ended is not sent."""

import asyncio
from collections.abc import Sequence

import pytest

from deployments.errors import NotFound
from deployments.media.picture import Picture
from deployments.tasks.batches import Answers
from deployments.tasks.stage_client import StageClient, StepToSend
from deployments.tasks.work import Outcome, StepRequest, Work
from tests.tasks.in_process import task_and_work, turns

PICTURE = Picture(data=bytes(10))


class Stage:
    """Answers each request in a message of its own, with a picture of ten bytes; `asked_for` counts answers taken."""

    def __init__(self) -> None:
        self.asked_for = 0
        self.requests: list[StepRequest] = []

    async def send(self, _stage: str, requests: Sequence[StepRequest]) -> Answers[Outcome]:
        self.requests += requests
        for place, request in enumerate(requests):
            self.asked_for += 1
            yield [(place, request.work.carrying(PICTURE, opaque=True))]


async def read_work(task_id: str) -> Work:
    if task_id == "ended":
        raise NotFound("There is no such task in flight.")
    return task_and_work(task_id)[1]


def call(task_id: str) -> StepToSend:
    return StepToSend(task_id, "step", 1, {}, 0)


async def test_answers_are_taken_only_while_what_came_before_finds_room() -> None:
    """Here for three pictures: the stage keeps the others, until the journal has some of these."""
    stage = Stage()
    calls = StageClient(stage.send, read_work, unwritten_bytes=30)
    answering = {str(number): asyncio.create_task(calls.call("stage", call(str(number)))) for number in range(8)}
    await turns()
    assert stage.asked_for == 4  # the one that fills it is held too
    for task_id in "012":
        assert answering[task_id].done()
        calls.written(task_id)
    await turns()
    assert stage.asked_for == 7
    for task_id in "3456":
        calls.written(task_id)
    assert len(await asyncio.gather(*answering.values())) == 8


async def test_an_answer_that_nobody_waits_for_takes_no_room() -> None:
    """Its task has ended, and will never say that it is written."""
    stage = Stage()
    calls = StageClient(stage.send, read_work, unwritten_bytes=0)
    given_up = asyncio.create_task(calls.call("stage", call("a")))
    waiting = asyncio.create_task(calls.call("stage", call("b")))
    await asyncio.sleep(0)
    given_up.cancel()
    await turns()
    assert waiting.done()


async def test_a_task_that_has_ended_meanwhile_is_not_sent() -> None:
    """And the others of its message get their own answers."""
    stage = Stage()
    calls = StageClient(stage.send, read_work)
    asked = (calls.call("stage", call(task_id)) for task_id in ("ended", "running"))
    lost, answer = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(lost, LookupError)
    assert isinstance(answer, Work)
    assert (answer.task_id, [request.task_id for request in stage.requests]) == ("running", ["running"])


async def test_where_all_tasks_of_a_message_have_ended_none_is_sent() -> None:
    def send(_stage: str, _requests: Sequence[StepRequest]) -> Answers[Outcome]:
        raise AssertionError("a message was sent")

    with pytest.raises(LookupError):
        await StageClient(send, read_work).call("stage", call("ended"))
