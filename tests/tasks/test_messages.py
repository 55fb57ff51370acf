"""Messages to the orchestrator."""

import pytest

from deployments.tasks.messages import Delivery, Message


def test_a_message_without_a_handler_cannot_be_made() -> None:
    """So mypy refuses it where it is sent."""

    class Unhandled(Message[None]):
        delivery = Delivery()

    with pytest.raises(TypeError, match="handle"):
        Unhandled()  # type: ignore[abstract]
