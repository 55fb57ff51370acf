"""An entry and a work with something in each field."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from deployments.errors import ErrorCode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.tasks.entry import Binding, Entry, PaidSubmit, Spending
from deployments.tasks.journal import Journal
from deployments.tasks.record import Failure, Operation, Status, Task
from deployments.tasks.webhook import LastTry, Webhook
from deployments.tasks.work import AvatarJob, Work

AT = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
ALL_BYTES = bytes(range(256)) * 10


def entry(task_id: str) -> Entry:
    task = Task.accepted(
        task_id=task_id,
        avatar_id="é/🙂",
        operation=Operation.AVATAR,
        read_url="https://r",
        engine="local",
        at=AT,
        caller="mobile",
    )
    task = replace(task, webhook=Webhook(tries=2, last=LastTry(AT, "no connection"), round=1, tries_of_round=1))
    return Entry(
        task.attempted().advanced(1, Status.PROCESSING_AVATAR_MODEL, AT),
        Binding("key", "fingerprint"),
        {
            "generate_avatar": {
                "my.own:Engine": PaidSubmit("token", "my.own:Engine:receipt", AT, passed="it is busy"),
                "fal": PaidSubmit("token", "fal:receipt", AT),
            },
            "overlay": {"fal": PaidSubmit("other")},
        },
        webhook_url="https://receiver.example/hook",
        spent=(Spending("token", AT, Decimal("0.039")),),
    )


async def all_entries(journal: Journal) -> list[Entry]:
    """All that a journal holds: first of the tasks that have a work."""
    return [kept.entry for kept in await journal.unfinished()] + [
        entry async for portion in journal.ended() for entry in portion
    ]


def work(task_id: str) -> Work:
    photos = (Picture(data=ALL_BYTES), Picture(url="https://p.example/1"))
    job = AvatarJob("a 'pilot'\n", photos, AspectRatio.WIDE, "https://w")
    return Work(
        task_id, job, done=frozenset({"generate_avatar"}), notes=("Note.",), person_size=(8, 6), webhook_url="https://h"
    )


def ended(task_id: str) -> Entry:
    return entry(task_id).with_task(entry(task_id).task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT))
