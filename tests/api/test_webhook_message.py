"""What a webhook says, and that anybody's library verifies its signature."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from deployments.api.answers import TaskResponse
from deployments.api.webhook_message import CUT, MOST_BYTES, body_of, headers_of
from deployments.errors import ErrorCode
from deployments.tasks.record import Failure, Task
from deployments.tasks.webhook import LastTry, Webhook
from tests.tasks.in_process import AT, task_and_work

SECRETS = (b"the first secret, of 32 bytes...", b"another one, of twenty-four bytes or more")


def done(**changes: object) -> Task:
    task = replace(task_and_work("00000000-0000-4000-8000-000000000000")[0], webhook=Webhook())
    task = task.attempted().finished(1, AT + timedelta(seconds=1.5))
    return replace(task, **changes)  # type: ignore[arg-type]  # fields by their names


def failed(message: str) -> Task:
    return task_and_work()[0].attempted().failed(Failure(ErrorCode.ENGINE_ERROR, message), AT)


def test_it_holds_the_task_as_get_task_shows_it() -> None:
    """With its end's kind and time; `webhook` as it stood before the try."""
    task = done(webhook=Webhook(tries=1, last=LastTry(AT, 503), tries_of_round=1))
    body = json.loads(body_of(task))
    assert body == {
        "type": "task.done",
        "timestamp": "2026-01-01T00:00:01.500000Z",
        "data": TaskResponse.of(task).model_dump(mode="json"),
    }
    assert body["data"]["webhook"] == {
        "state": "waiting",
        "tries": 1,
        "last": {"at": "2026-01-01T00:00:00Z", "answer": 503},
    }


def test_an_error_is_an_event_of_its_own() -> None:
    """Its data say why."""
    body = json.loads(body_of(failed("Try again.")))
    assert (body["type"], body["data"]["error"]["message"]) == ("task.error", "Try again.")


@pytest.mark.parametrize("secret", SECRETS)
def test_each_secret_signs(secret: bytes) -> None:
    """So that one can be replaced by another: an independent library takes either, and no third one."""
    now = datetime.now(UTC)
    body = body_of(done())
    headers = headers_of(done(), now, body, SECRETS)
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (done().id, str(int(now.timestamp())))
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert headers["Content-Type"] == "application/json"
    assert Verifier(f"whsec_{b64encode(secret).decode()}").verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Verifier(f"whsec_{b64encode(secret + b'!').decode()}").verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(f"whsec_{b64encode(secret).decode()}").verify(body + b" ", headers)


def test_each_try_has_its_own_time_and_the_same_id() -> None:
    """Receivers refuse what is old, and know again what they have."""
    body, now = body_of(done()), datetime.now(UTC)
    first, second = (headers_of(done(), now + timedelta(hours=hours), body, SECRETS) for hours in (0, 2))
    assert first["webhook-id"] == second["webhook-id"]
    assert "." not in first["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 7200
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_long_one_is_cut() -> None:
    """Below 20 kB: the last notes go, and a mark says so."""
    notes = tuple(f"{number}: {'ü' * 400}" for number in range(100))
    body = body_of(done(notes=notes))
    assert 5_000 < len(body) < MOST_BYTES == 20_000
    *kept, mark = json.loads(body)["data"]["notes"]
    assert (kept, mark) == (list(notes[: len(kept)]), CUT)
    assert kept


@pytest.mark.parametrize(
    "task",
    [
        done(notes=("é" * 30_000,)),
        done(notes=("x" * 100,) * 3_000, read_url="https://r.example/" + "x" * 8_000),
        failed("🙂" * 30_000),
    ],
    ids=["one long note", "many notes and a long URL", "a long message"],
)
def test_whatever_is_in_it_it_stays_below_20_kb(task: Task) -> None:
    """And it is the task still."""
    body = body_of(task)
    assert len(body) < 20_000
    assert json.loads(body)["data"]["aige_task_id"] == task.id


def test_where_the_message_is_cut_short_enough_no_note_is() -> None:
    assert json.loads(body_of(failed("x" * 19_900)))["data"]["notes"] == []
