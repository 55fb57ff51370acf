"""Receipts name their engine: `fal:ENDPOINT/requests/ID`. An engine itself sees only what follows its name."""


def named(engine: str, receipt: str) -> str:
    """The receipt as it is recorded."""
    return f"{engine}:{receipt}"


def own_part(engine: str, receipt: str) -> str:
    """The receipt as the engine gave it."""
    return receipt.removeprefix(f"{engine}:")
