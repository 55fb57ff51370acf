"""Journals outlive the code that wrote them: those of each schema, as they were written then, are opened and finished.

`tests/data/journals/README.md` says how they were made.
"""

import json
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

import pytest
from pydantic import BaseModel, JsonValue, TypeAdapter
from redis import Redis

from deployments.errors import ErrorCode, TaskFailed
from deployments.media.picture import Picture
from deployments.settings import Settings
from deployments.tasks.entry import Binding, Entry, PaidSubmit
from deployments.tasks.journal import ENTRY, SCHEMA, WORK, Journal
from deployments.tasks.messages import Message
from deployments.tasks.migrations import migrated_entry, migrated_work
from deployments.tasks.operations import OPERATIONS, STAGE_OF, StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Failure, Operation, Status
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import Outcome, StepRequest
from tests.data.journals.formats import unreadable
from tests.data.journals.pin import FILE, RELEASED, stored_form, stored_types
from tests.tasks.entries import all_entries, entry, work
from tests.tasks.in_process import FakeStages, end_of, no_sleep, task_and_work

JOURNALS = Path(__file__).parents[1] / "data/journals"
PAID = {StepId.GENERATE_AVATAR, StepId.GENERATE_BACKGROUND, StepId.REMOVE_BACKGROUND, StepId.OVERLAY}
R = TypeVar("R")


class Written(BaseModel):
    """What is known of a task of an old journal at its end; `stops_at` counts steps, `requests` go by stage."""

    operation: Operation
    stops_at: int | None
    paid: str | None
    attempts: int
    status: Status
    requests: dict[str, str]


OLD_SCHEMAS = range(1, SCHEMA)
WRITTEN = TypeAdapter(dict[str, Written])


class Service:
    """An orchestrator on an old journal; keeps which steps ran, what was submitted, and what paid for each step."""

    def __init__(self, journal: Journal) -> None:
        self.ran: dict[str, list[str]] = {}
        self.sent: list[tuple[str, str]] = []
        self.paid_with: dict[tuple[str, str], str] = {}
        stages = FakeStages(self._step)
        for_ever = {"hours": 24 * 365 * 100}  # these journals were written when their schema was new
        settings = Settings.model_validate({"deadlines": {"unknown_submit_s": 0}, "retention": for_ever})
        self.orchestrator = Orchestrator(settings, journal, stages.send, sleep=no_sleep)
        stages.orchestrator = self.orchestrator

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def _step(self, request: StepRequest) -> Outcome:
        self.ran.setdefault(request.task_id, []).append(request.step)
        if request.step in PAID:
            try:
                paid_with = await ClaimedCall(self.ask, request, "fal").submit(self._send(request))
            except TaskFailed as error:
                return Failure.of(error)
            self.paid_with[request.task_id, request.step] = paid_with
        return request.work

    def _send(self, request: StepRequest) -> Callable[[], Awaitable[str]]:
        async def send() -> str:
            self.sent.append((request.task_id, request.step))
            return "a new request"

        return send


@pytest.fixture(params=OLD_SCHEMAS)
def schema(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def written_tasks(schema: int) -> dict[str, Written]:
    return WRITTEN.validate_json((JOURNALS / f"schema-{schema}.json").read_bytes())


@pytest.fixture(params=["sqlite", "redis"])
async def old_journal(schema: int, request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    """A copy of that schema's, in each place that lasts."""
    old = JOURNALS / f"schema-{schema}.sqlite3"
    if request.param == "sqlite":
        shutil.copy(old, tmp_path / "journal.sqlite3")
        return SqliteJournal(tmp_path / "journal.sqlite3")
    url: str = request.getfixturevalue("redis_url")
    with sqlite3.connect(old) as connection, Redis.from_url(url) as redis:
        redis.set("aige:journal:schema", schema)
        for table in ("entries", "works"):
            for task_id, value in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - one of two
                redis.hset(f"aige:journal:{table}", task_id, value)
    journal = RedisJournal(url, "app")
    assert (await journal.take("cluster", 60)).is_mine
    return journal


async def test_an_old_journal_is_finished_and_nothing_is_paid_twice(
    old_journal: Journal, written_tasks: dict[str, Written]
) -> None:
    """Tasks in every stage of life: steps that were done are not repeated, and receipts are honoured."""
    service = Service(old_journal)
    await service.orchestrator.recover()
    for task_id, written in written_tasks.items():
        task = await end_of(service.orchestrator, task_id)
        if written.stops_at is None:
            assert (task.status, service.ran.get(task_id)) == (written.status, None)
            continue
        left = [step.id for step in OPERATIONS[written.operation][written.stops_at :]]
        at = left[0]
        if written.paid == "claim":
            assert task.failure is not None
            assert task.failure.code is ErrorCode.ENGINE_OUTCOME_UNKNOWN
            assert service.ran[task_id] == [at]
        else:
            assert task.status is Status.DONE, task
            assert service.ran[task_id] == [step for step in left if step in service.ran[task_id]]
            assert left[-1] in service.ran[task_id]
        if written.paid == "receipt":
            assert service.paid_with[task_id, at] == written.requests[STAGE_OF[at]]
        assert task.attempts == written.attempts + 1
    paid_before = {(task_id, stage) for task_id, written in written_tasks.items() for stage in written.requests}
    assert not paid_before & {(task_id, STAGE_OF[step]) for task_id, step in service.sent}
    await old_journal.close()


@pytest.mark.parametrize("schema", [1], indirect=True)
async def test_what_was_charged_and_bound_in_schema_1_is_kept(old_journal: Journal) -> None:
    """Charges are known by their step now; an idempotency key still finds its task."""
    service = Service(old_journal)
    await service.orchestrator.recover()
    task_id = "00000003-0000-4000-8000-000000000000"
    bound = await service.orchestrator.bound(Binding("key 3", "fingerprint 3"))
    assert bound is not None
    assert bound.id == task_id
    assert (await end_of(service.orchestrator, task_id)).charges[0] == ("generate_avatar", "some/model", 1.5)
    await old_journal.close()


@pytest.mark.parametrize(
    ("engine", "receipt", "kept"),
    [
        ("fal", "fal-ai/flux/dev/requests/1", ("fal", "fal:fal-ai/flux/dev/requests/1")),
        ("local", "fal-ai/flux/dev/requests/1", ("fal", "fal:fal-ai/flux/dev/requests/1")),
        ("mine", "fal-ai/flux/dev/requests/1", ("fal", "fal:fal-ai/flux/dev/requests/1")),
        ("mine", "number 1", ("mine", "mine:number 1")),
        ("fal", None, ("fal", None)),
        ("local", None, ("fal", None)),
        ("mine", None, ("mine", None)),
    ],
)
def test_whose_receipts_those_of_schema_2_are(engine: str, receipt: str | None, kept: tuple[str, str | None]) -> None:
    """One without a name is fal's, unless another engine that pays was configured and it does not look like fal's."""
    task = task_and_work()[0]
    entry = json.loads(ENTRY.dump_json(Entry(replace(task, engine=engine))))
    entry["paid"] = {"generate_background": ["token", receipt]}
    migrated = ENTRY.validate_json(migrated_entry(json.dumps(entry).encode(), 2))
    assert migrated.paid == {"generate_background": {kept[0]: PaidSubmit("token", kept[1])}}


@pytest.mark.parametrize("old", [1, 2])
def test_what_is_no_json_stays_as_it_is(old: int) -> None:
    """So one damaged task does not stop a migration; whoever reads it says which one it is."""
    assert migrated_entry(b"\xff no JSON", old) == migrated_work(b"\xff no JSON", old) == b"\xff no JSON"


async def test_a_migrated_journal_is_opened_again(tmp_path: Path, schema: int) -> None:
    """As one of the present schema."""
    shutil.copy(JOURNALS / f"schema-{schema}.sqlite3", tmp_path / "journal.sqlite3")
    contents = []
    for _ in range(2):
        journal = SqliteJournal(tmp_path / "journal.sqlite3")
        contents.append(await all_entries(journal))
        await journal.close()
    assert contents[0] == contents[1]
    with sqlite3.connect(tmp_path / "journal.sqlite3") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


def test_what_a_journal_holds_is_pinned() -> None:
    """Where this fails because a field was added that has a default: `python -m tests.data.journals.pin` pins it.

    The next tests say whether that is all that has changed. For any other change see CONTRIBUTING.md, "Change what the
    journal holds".
    """
    assert stored_types() == json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["entry", "work"])
def test_the_version_before_can_go_on_with_what_this_one_writes(kind: str) -> None:
    """So that a release can be taken back. It ignores fields that it does not know, and refuses all else.

    Where this fails: give up the change, or put what is new into a field of its own, with a default, of a dataclass. A
    longer NamedTuple and a new member of an enumeration are refused by the version before.
    """
    assert unreadable(stored_types()[kind], released(kind)) == []


@pytest.mark.parametrize("kind", ["entry", "work"])
def test_this_version_can_go_on_with_what_the_one_before_wrote(kind: str) -> None:
    """Where this fails: give the new field a default, or raise `SCHEMA` and write a migration."""
    assert unreadable(released(kind), stored_types()[kind]) == []


def test_fields_that_a_later_version_has_added_are_ignored() -> None:
    """In an entry, its task, a work, its job and its pictures: that makes a field with a default additive."""
    stored_entry, stored_work = (
        json.loads(ENTRY.dump_json(entry("a"))),
        json.loads(WORK.dump_json(work("a").carrying(Picture(data=b"png"), opaque=True))),
    )
    job = stored_work["job"]
    for thing in (stored_entry, stored_entry["task"], stored_work, job, job["photos"][0], stored_work["picture"]):
        thing["of_a_later_version"] = {"with": ["more"]}
    assert ENTRY.validate_json(json.dumps(stored_entry)) == entry("a")
    assert WORK.validate_json(json.dumps(stored_work)) == work("a").carrying(Picture(data=b"png"), opaque=True)


@dataclass(frozen=True)
class Before:
    """A small stored type, as the version before has it."""

    code: Literal["a", "b"]
    place: tuple[int, str]
    either: tuple[int, int] | str | None = None
    by_name: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class WithMore(Before):
    added: int = 0


@dataclass(frozen=True)
class WithMoreToGive:
    code: Literal["a", "b"]
    place: tuple[int, str]
    needed: int
    either: tuple[int, int] | str | None = None
    by_name: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Otherwise:
    code: Literal["a", "b", "c"]
    place: tuple[int, str, int]
    either: tuple[int, str] | None = None
    by_name: dict[str, list[str]] = field(default_factory=dict)


def types_of(kind: type) -> JsonValue:
    return stored_form(TypeAdapter(kind))


def test_a_field_with_a_default_is_additive_and_nothing_else_is() -> None:
    """What stops a reader is named, each place for itself."""
    before = types_of(Before)
    assert unreadable(types_of(WithMore), before) == unreadable(before, types_of(WithMore)) == []
    assert unreadable(types_of(WithMoreToGive), before) == []
    assert unreadable(before, types_of(WithMoreToGive)) == [".needed: is missing, and has no default"]
    assert sorted(unreadable(types_of(Otherwise), before)) == [
        ".by_name[][]: is string, and was number",
        ".code: 'c' is not known",
        ".either[1]: is string, and was integer",
        ".place: has 3 places, and had 2",
    ]


def released(kind: str) -> JsonValue:
    """A stored type of the version before."""
    stored: JsonValue = json.loads(RELEASED.read_text(encoding="utf-8"))[kind]
    return stored
