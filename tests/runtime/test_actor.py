"""Who hangs, and who does not: nobody is replaced who would answer."""

import asyncio
from collections.abc import Awaitable, Callable

from ray.exceptions import ActorDiedError, ActorUnavailableError

from deployments.runtime.actor import hangs


def answering(*answers: object) -> Callable[[], Awaitable[object]]:
    """Probes that are answered so, one after the other: raised where it is an exception, never where it is None."""
    coming = iter(answers)

    async def probe() -> object:
        answer = next(coming)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return probe


RESTARTS = ActorUnavailableError("it restarts", None)


async def test_one_that_never_answers_hangs() -> None:
    """Whatever it did before."""
    assert await hangs(answering("identity", "identity", None), patience=3, probe_s=0) is True


async def test_one_that_restarts_does_not_hang() -> None:
    """Ray brings it back; reading a long journal may take it longer than any patience."""
    assert await hangs(answering(*[RESTARTS] * 20, "identity", ActorDiedError()), patience=3, probe_s=0) is False


async def test_one_that_is_dead_for_good_is_no_hung_one() -> None:
    """Another ingress has killed it, and has started its successor."""
    assert await hangs(answering("identity", ActorDiedError()), patience=3, probe_s=0) is False


async def test_one_that_answers_late_again_and_again_does_not_hang() -> None:
    """Silence counts from its last answer."""
    late, asked = asyncio.Queue[None](), 0

    async def probe() -> object:
        nonlocal asked
        asked += 1
        if asked == 10:
            raise ActorDiedError
        await late.get()
        return "identity"

    async def answer_now_and_then() -> None:
        while True:
            await asyncio.sleep(0)
            late.put_nowait(None)

    answers = asyncio.create_task(answer_now_and_then())
    assert await hangs(probe, patience=20, probe_s=0) is False
    answers.cancel()


async def test_who_was_stopped_itself_hears_the_answer_before_it_judges() -> None:
    """An ingress that wakes up after minutes has waited once: the answer that lies there counts."""
    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    probes = 0

    async def probe() -> object:
        nonlocal probes
        probes += 1
        if probes > 1:
            raise ActorDiedError
        await answered.wait()
        return "identity"

    async def stopped(seconds: float) -> None:
        until = loop.time() + seconds
        while loop.time() < until:
            pass
        answered.set()

    sleeping = asyncio.create_task(stopped(0.05))
    assert await hangs(probe, patience=3, probe_s=0.01) is False
    await sleeping
