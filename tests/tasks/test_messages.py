"""Messages to the orchestrator."""

import pytest

from deployments.tasks.messages import CancelTask, Delivery, Message, SendWebhookAgain


def test_a_message_without_a_handler_cannot_be_made() -> None:
    """So mypy refuses it where it is sent."""

    class Unhandled(Message[None]):
        delivery = Delivery()

    with pytest.raises(TypeError, match="handle"):
        Unhandled()  # type: ignore[abstract]


@pytest.mark.parametrize("kind", [CancelTask, SendWebhookAgain])
def test_what_may_wait_for_the_journal_travels_alone(kind: type[Message[object]]) -> None:
    """Status reads in the same message would wait as long."""
    assert not kind.delivery.batched
