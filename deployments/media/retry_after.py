"""When a server wants to be asked again."""

LONGEST_RETRY_AFTER = 30.0
"""In seconds: what a server asks for beyond it, in `Retry-After`, is not waited for."""


def pause_asked_for(retry_after: str) -> bool | float:
    """The seconds in a `Retry-After` (RFC 9110, 10.2.3), if it is seconds and not too many; else True: the usual pause.

    It is what stamina wants to be told. Dates are not read.
    """
    seconds = float(retry_after) if retry_after.isdecimal() else None
    return seconds if seconds is not None and seconds <= LONGEST_RETRY_AFTER else True
