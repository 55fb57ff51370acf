"""Batches: what is asked together travels together, and whatever befalls a message, each gets its own answer."""

import asyncio
import weakref
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.tasks.batches import Batches, Pace
from tests.tasks.in_process import turns

WAITING, PAUSING, HURRYING = Pace(60, 0, 0), Pace(60, 60, 60), Pace(0, 0, 0)
"""None of them depends on how fast the machine is."""
Said = TypeVar("Said")


class Message:
    """One that was sent; the test says what befalls it."""

    def __init__(self, questions: Sequence[int]) -> None:
        self.questions = list(questions)
        self.is_over = False
        self._coming = asyncio.Queue[Sequence[tuple[int, str | Exception]] | Exception]()

    def __aiter__(self) -> "Message":
        return self

    async def __anext__(self) -> Sequence[tuple[int, str | Exception]]:
        coming = await self._coming.get()
        if isinstance(coming, Exception):
            raise coming
        return coming

    def arrive(self) -> None:
        self._coming.put_nowait(())

    def answer(self, *answers: tuple[int, str | Exception]) -> None:
        self._coming.put_nowait(answers)

    def lose(self, error: Exception) -> None:
        self.is_over = True
        self._coming.put_nowait(error)

    def end(self) -> None:
        self.lose(StopAsyncIteration())


class Post:
    """Questions of as many bytes as they say, and the messages that carry them, `most` in each."""

    def __init__(self, most: int = 3, pace: Pace = WAITING) -> None:
        self.sent: list[Message] = []
        self.batches = Batches[int, str](
            self._send, size=lambda question: question, most=most, most_bytes=10, pace=pace
        )

    def _send(self, questions: Sequence[int]) -> Message:
        self.sent.append(Message(questions))
        return self.sent[-1]

    async def ask(self, *questions: int) -> list[asyncio.Task[str]]:
        asking = [asyncio.create_task(self.batches.ask(question)) for question in questions]
        await turns()
        return asking

    @property
    def questions(self) -> list[list[int]]:
        return [message.questions for message in self.sent]


@pytest.fixture
def post() -> Post:
    return Post()


def outcome(asking: asyncio.Task[str]) -> str | BaseException | None:
    """What the question was answered with; None if nothing yet."""
    if not asking.done():
        return None
    return asking.exception() or asking.result()


async def test_what_is_asked_at_once_travels_at_once(post: Post) -> None:
    """In one message, in the order in which it was asked."""
    await post.ask(1, 2, 3)
    assert post.questions == [[1, 2, 3]]


async def test_what_is_asked_while_a_message_is_on_its_way_gathers(post: Post) -> None:
    """For the next message, which sets out as soon as the first has arrived."""
    for question in (1, 2, 3):
        await post.ask(question)
    assert post.questions == [[1]]
    post.sent[0].arrive()
    await turns()
    assert post.questions == [[1], [2, 3]]


async def test_messages_pause_while_many_are_under_way() -> None:
    """So that the next one carries more."""
    post = Post(pace=PAUSING)
    await post.ask(1)
    post.sent[0].arrive()
    await post.ask(2, 3)
    assert post.questions == [[1]]


async def test_messages_that_are_answered_at_once_never_pause() -> None:
    """However many gather meanwhile: a journal would fall behind."""
    post = Post(pace=PAUSING)
    await post.ask(1)
    await post.ask(2, 3)
    post.sent[0].answer((0, "written"))
    await turns()
    assert post.questions == [[1], [2, 3]]


async def test_a_message_that_has_arrived_holds_nobody_up(post: Post) -> None:
    """Whoever asks later does not wait for its answers."""
    [early] = await post.ask(1)
    post.sent[0].arrive()
    [late] = await post.ask(2)
    post.sent[1].answer((0, "late"))
    await turns()
    assert (outcome(early), outcome(late)) == (None, "late")
    post.sent[0].answer((0, "early"))
    await turns()
    assert outcome(early) == "early"


async def test_a_message_that_does_not_arrive_holds_the_next_up_for_a_moment() -> None:
    """And is answered all the same when it arrives after all."""
    post = Post(pace=HURRYING)
    [early] = await post.ask(1)
    [late] = await post.ask(2)
    post.sent[1].answer((0, "late"))
    await turns()
    assert outcome(late) == "late"
    post.sent[0].answer((0, "early"))
    await turns()
    assert outcome(early) == "early"


async def test_each_gets_its_own_answer_as_soon_as_it_is_there(post: Post) -> None:
    """Before others of its message, and an error spoils no other."""
    asking, error = await post.ask(1, 2, 3), ValueError("two")
    post.sent[0].answer((2, "three"))
    await turns()
    assert [outcome(one) for one in asking] == [None, None, "three"]
    post.sent[0].answer((1, error), (0, "one"))
    await turns()
    assert [outcome(one) for one in asking] == ["one", error, "three"]


async def test_when_a_message_is_lost_all_who_wait_are_told(post: Post) -> None:
    """Those who were answered keep their answers, and the next message sets out at once."""
    asking, died = await post.ask(1, 2, 3), ConnectionError("it died")
    post.sent[0].answer((1, "two"))
    post.sent[0].lose(died)
    await turns()
    assert [outcome(one) for one in asking] == [died, "two", died]
    await post.ask(4)
    post.sent[1].lose(died)
    [late] = await post.ask(5)
    post.sent[2].answer((0, "five"))
    await turns()
    assert outcome(late) == "five"


async def test_a_message_that_ends_early_leaves_nobody_waiting(post: Post) -> None:
    """A question without an answer is an error."""
    answered, forgotten = await post.ask(1, 2)
    post.sent[0].answer((0, "one"))
    post.sent[0].end()
    await turns()
    assert outcome(answered) == "one"
    assert isinstance(outcome(forgotten), LookupError)


async def test_who_stops_waiting_disturbs_nobody(post: Post) -> None:
    """Whether there is still an answer for them or not."""
    leaving, staying = await post.ask(1, 2)
    leaving.cancel()
    await turns()
    post.sent[0].answer((0, "one"), (1, "two"))
    await turns()
    assert outcome(staying) == "two"


async def test_two_messages_may_be_on_their_way() -> None:
    """What is asked meanwhile gathers until either has arrived."""
    post = Post(pace=Pace(60, 0, 0, on_their_way=2))
    await post.ask(1)
    await post.ask(2)
    await post.ask(3)
    await post.ask(4)
    assert post.questions == [[1], [2]]
    post.sent[1].arrive()
    await turns()
    assert post.questions == [[1], [2], [3, 4]]
    await post.ask(5)
    assert post.questions == [[1], [2], [3, 4]]
    post.sent[0].lose(ConnectionError())
    await turns()
    assert post.questions == [[1], [2], [3, 4], [5]]


async def test_a_cancelled_question_that_has_not_set_out_never_does() -> None:
    """It takes no place in a message, and where no other waits, no message sets out."""
    post = Post(most=1)
    await post.ask(1)
    leaving, _staying = await post.ask(2, 3)
    leaving.cancel()
    post.sent[0].arrive()
    await turns()
    assert post.questions == [[1], [3]]
    [leaving] = await post.ask(4)
    leaving.cancel()
    post.sent[1].arrive()
    await turns()
    assert post.questions == [[1], [3]]


@pytest.mark.parametrize(
    ("questions", "messages"),
    [
        ([1] * 7, [[1, 1, 1], [1, 1, 1], [1]]),
        ([4, 6, 1], [[4, 6], [1]]),
        ([4, 7, 3], [[4], [7, 3]]),
        ([1, 11, 1], [[1], [11], [1]]),
    ],
)
async def test_a_message_is_bounded(questions: Sequence[int], messages: list[list[int]]) -> None:
    """In questions (here 3) and in bytes (here 10); one that is larger goes alone, and the order stays."""
    post = Post(pace=HURRYING)
    await post.ask(*questions)
    assert post.questions == messages


async def test_a_question_is_not_kept_once_it_was_sent() -> None:
    """It may be large, and its answer a long time coming."""

    class Photo:
        pass

    photo, message = Photo(), Message([])
    kept = weakref.ref(photo)
    asking = asyncio.create_task(Batches[Photo, str](lambda _: message).ask(photo))
    del photo
    await turns()
    assert kept() is None
    message.answer((0, "seen"))
    await turns()
    assert outcome(asking) == "seen"


class Event(NamedTuple):
    """What befalls the `which`-th (counted around) question or message; `place` is that of one of its questions."""

    kind: str
    which: int
    place: int


KINDS = ("ask", "ask", "ask", "turn", "turn", "cancel", "arrive", "answer", "answer", "refuse", "lose", "end")
events = st.lists(st.builds(Event, st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 9)), max_size=80)


class Life:
    """Questions and what befalls them. Each is due the first that is said to it."""

    def __init__(self, pace: Pace) -> None:
        self.post = Post(pace=pace)
        self.asking: list[asyncio.Task[str]] = []
        self.cancelled: set[int] = set()
        self.due: dict[int, object] = {}

    async def befall(self, event: Event) -> None:
        match event.kind:
            case "ask":
                self.asking.append(asyncio.create_task(self.post.batches.ask(len(self.asking))))
            case "turn":
                await asyncio.sleep(0)
            case "cancel" if self.asking:
                number = event.which % len(self.asking)
                if self.asking[number].cancel():
                    self.cancelled.add(number)
            case _ if under_way := self.under_way():
                self.say(under_way[event.which % len(under_way)], event.kind, event.place)

    def under_way(self) -> list[Message]:
        return [message for message in self.post.sent if not message.is_over]

    def say(self, message: Message, kind: str, place: int = 0) -> None:
        place %= len(message.questions)
        question = message.questions[place]
        match kind:
            case "arrive":
                message.arrive()
            case "answer":
                message.answer((place, self.owe(f"answer to {question}", question)))
            case "refuse":
                message.answer((place, self.owe(ValueError(question), question)))
            case "lose":
                message.lose(self.owe(ConnectionError(), *message.questions))
            case "end":
                self.owe(LookupError, *message.questions)
                message.end()

    def owe(self, said: Said, *questions: int) -> Said:
        for question in questions:
            self.due.setdefault(question, said)
        return said

    async def end(self) -> None:
        await turns()
        while under_way := self.under_way():
            for message in under_way:
                self.say(message, "end")
            await turns()

    def check(self) -> None:
        sent = [question for message in self.post.sent for question in message.questions]
        assert len(sent) == len(set(sent)), "a question was sent twice"
        for number, asking in enumerate(self.asking):
            assert asking.done(), "a question was forgotten"
            if asking.cancelled():
                assert number in self.cancelled
            else:
                got = outcome(asking)
                assert self.due[number] in {got, type(got)}


@given(events=events, pace=st.sampled_from([WAITING, HURRYING]))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_each_gets_its_own(events: Sequence[Event], pace: Pace) -> None:
    """However asking, cancelling, arrivals, answers and losses follow one another, nobody waits for ever."""

    async def live() -> None:
        life = Life(pace)
        for event in events:
            await life.befall(event)
        await life.end()
        life.check()

    asyncio.run(live())


@pytest.mark.parametrize(
    ("raised", "told"), [(ConnectionError, ConnectionError), (asyncio.CancelledError, LookupError)]
)
async def test_a_message_that_cannot_be_sent_leaves_nobody_waiting(
    raised: type[BaseException], told: type[Exception]
) -> None:
    """Sending may raise at once, and what it needs may be torn down."""

    def send(_: Sequence[int]) -> Message:
        raise raised

    asking = asyncio.create_task(Batches[int, str](send).ask(1))
    await turns()
    assert isinstance(outcome(asking), told)
