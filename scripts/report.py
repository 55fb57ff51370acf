"""What the head of a run tells its parent: one JSON object a line."""

from typing import TypedDict


class Report(TypedDict, total=False):
    """`step` is what goes on; `refused` and `failed` say why it ended; `up` comes once the application is.

    `dashboard` is its address, and comes with `up`.
    """

    step: str
    refused: str
    failed: str
    up: bool
    dashboard: str
