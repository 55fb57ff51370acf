"""A Serve config file as it is read, and in one line, what is wrong with what it or the environment holds."""

from collections.abc import Collection
from pathlib import Path
from reprlib import repr as shortly

import yaml
from pydantic import ValidationError

from deployments.errors import SettingsError


def read_config(path: Path) -> dict[str, object]:
    """What a Serve config file holds; in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        SettingsError: it cannot be read, or is no mapping.
    """
    try:
        config = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except yaml.reader.ReaderError:
        raise SettingsError(f"{path} is not a text in UTF-8: save it in that encoding") from None
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingsError(f"{path}{where}: {error.problem}") from None
    except ValueError as error:  # a date or a number that is none
        raise SettingsError(f"{path}: {error}") from None
    if not isinstance(config, dict):
        raise SettingsError(f"{path} is not a Serve config file: see `serve_config.yaml`")
    return config


def first_fault(error: ValidationError, secret: Collection[str] = (), place: str = "") -> str:
    """The first thing wrong, in one line: where (below `place`), what must be there, and what is there.

    What is there is left out below `secret` places.

    Pydantic's own error has many lines, and Ray shows whatever is raised.
    """
    first = error.errors(include_url=False)[0]
    inside = ".".join(str(part) for part in first["loc"] if part != "[key]")
    place = ".".join(part for part in (place, inside) if part)
    if first["type"] == "extra_forbidden":
        return f"{place}: there is no such setting"
    reason = reason_of(first["msg"])
    if not place:
        return reason
    if first["type"] == "missing" or not inside or first["loc"][0] in secret:
        return f"{place}: {reason}"
    return f"{place}: {reason}; it is {shortly(first['input'])}"


def reason_of(message: str) -> str:
    """Pydantic's message as ours are written."""
    message = message.removeprefix("Value error, ").replace("Input should", "must")
    return message[:1].lower() + message[1:]
