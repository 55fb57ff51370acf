"""A webhook's states: its tries, its pauses, and its end."""

from datetime import timedelta

import pytest

from deployments.tasks.webhook import PAUSES_S, Answer, LastTry, Webhook, WebhookState
from tests.tasks.in_process import AT

NEW = Webhook()


def after(*answers: Answer) -> Webhook:
    webhook = NEW
    for number, answer in enumerate(answers):
        webhook = webhook.tried(webhook.round, AT + timedelta(seconds=number), answer)
    return webhook


def test_a_running_task_has_made_no_try() -> None:
    """It waits, and the first try is made at once."""
    assert (NEW.state, NEW.tries, NEW.last, NEW.pause_s) == (WebhookState.WAITING, 0, None, 0)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_ends_it(status: int) -> None:
    """After however many tries."""
    webhook = after(500, status)
    assert (webhook.state, webhook.tries) == (WebhookState.DELIVERED, 2)
    assert webhook.last == LastTry(AT + timedelta(seconds=1), status)


def test_410_ends_it_for_good() -> None:
    """The receiver wants no more of them."""
    webhook = after(410)
    assert (webhook.state, webhook.tries) == (WebhookState.GIVEN_UP, 1)


@pytest.mark.parametrize("answer", [100, 199, 300, 301, 307, 400, 401, 404, 409, 429, 500, 503, "no connection", "200"])
def test_anything_else_is_tried_again(answer: Answer) -> None:
    """Redirects too."""
    assert after(answer).state is WebhookState.WAITING


def test_the_schedule() -> None:
    """Seven tries in all, after 5 s, 5 min, 30 min, 2 h, 5 h and 10 h; then it is given up."""
    pauses = [after(*[500] * tries).pause_s for tries in range(1, 7)]
    assert pauses == list(PAUSES_S) == [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600]
    assert after(*[500] * 6).state is WebhookState.WAITING
    assert (after(*[500] * 7).state, after(*[500] * 7).tries) == (WebhookState.GIVEN_UP, 7)


@pytest.mark.parametrize("before", [(), (500, 500), (200,), (410,), (500,) * 7], ids=str)
def test_to_send_it_again_begins_the_schedule_anew(before: tuple[Answer, ...]) -> None:
    """Its tries count on; what was last answered is still told."""
    again = after(*before).again()
    assert (again.state, again.tries, again.last, again.pause_s) == (
        WebhookState.WAITING,
        len(before),
        after(*before).last,
        0,
    )
    for failed in range(1, 8):
        again = again.tried(again.round, AT, 500)
        assert again.tries == len(before) + failed
        assert again.state is (WebhookState.WAITING if failed < 7 else WebhookState.GIVEN_UP)


@pytest.mark.parametrize("late", [200, 500, 410])
def test_a_try_of_an_earlier_round_counts_and_ends_nothing(late: Answer) -> None:
    """It was under way when the webhook was to be sent again: that is still to be done, by a schedule of its own."""
    webhook = after(500)
    again = webhook.again().tried(webhook.round, AT, late)
    assert (again.state, again.tries, again.pause_s) == (WebhookState.WAITING, 2, 0)
    assert again.last == LastTry(AT, late)
