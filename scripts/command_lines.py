"""What a message tells the user to type: `make` in a checkout, the commands of the wheel where AIGE is installed."""

from deployments.settings import IN_CHECKOUT


def to_run(
    *, port: int | None = None, production: bool = False, variables: str = "", in_checkout: bool = IN_CHECKOUT
) -> str:
    """The command that starts the service; `variables` are assignments, with spaces between them."""
    if in_checkout:
        words = ("make run", f"PORT={port}" if port else "", "PROFILE=production" if production else "", variables)
    else:
        words = (variables, "aige", f"--port {port}" if port else "", "--profile production" if production else "")
    return " ".join(word for word in words if word)


def to_stop(*, variables: str = "", in_checkout: bool = IN_CHECKOUT) -> str:
    """The command that stops the service."""
    words = ("make stop", variables) if in_checkout else (variables, "aige-stop")
    return " ".join(word for word in words if word)
