"""Callers and prices as they are set: what is wrong stops the start with one line."""

from decimal import Decimal

import pytest

from deployments.errors import SettingsError
from deployments.settings import Settings

NAME_RULE = "a caller's name must be 1 to 64 letters, digits, '-' or '_', or '*' for all that are not named"


def test_each_caller_has_its_limits() -> None:
    """Its own, or those under `*`; without either, or where one is left out or null, there is none."""
    settings = Settings.model_validate(
        {"callers": {"mobile": {"tasks_in_flight": 5}, "free": {"tasks_per_minute": None}, "*": {"spend_per_day": 2.5}}}
    )
    assert settings.limits_of("mobile").model_dump() == {
        "tasks_in_flight": 5,
        "tasks_per_minute": None,
        "spend_per_day": None,
    }
    assert settings.limits_of("free").are_none
    assert settings.limits_of("web").spend_per_day == Decimal("2.5")
    assert Settings().limits_of("web").are_none


def test_money_is_decimal() -> None:
    """As it is written, not as a binary fraction."""
    settings = Settings.model_validate({"prices": {"some/model": 0.1, "another": 3}})
    assert settings.prices == {"some/model": Decimal("0.1"), "another": Decimal(3)}
    assert settings.prices["some/model"] * 3 == Decimal("0.3")


def test_settings_survive_being_sent() -> None:
    """What a file says, and what an actor was made from, are compared as JSON."""
    settings = Settings.model_validate({"prices": {"m": 0.1}, "callers": {"a": {"spend_per_day": 0}}})
    assert '"prices":{"m":"0.1"}' in settings.model_dump_json()
    assert Settings.model_validate(settings.model_dump()) == settings


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"callers": {"my app": {}}}, f"callers.my app: {NAME_RULE}; it is 'my app'"),
        ({"callers": {"n" * 65: {}}}, f"callers.{'n' * 65}: {NAME_RULE}"),
        ({"callers": {"": {}}}, f"callers.: {NAME_RULE}"),
        ({"callers": {"a": {"task_in_flight": 1}}}, "callers.a.task_in_flight: there is no such setting"),
        ({"callers": {"a": {"tasks_in_flight": -1}}}, "callers.a.tasks_in_flight: must be greater than or equal to 0"),
        ({"callers": {"a": {"tasks_in_flight": 1.5}}}, "callers.a.tasks_in_flight: must be a valid integer"),
        ({"callers": {"a": {"tasks_per_minute": True}}}, "callers.a.tasks_per_minute: must be a valid integer"),
        ({"callers": {"a": {"tasks_per_minute": "60"}}}, "callers.a.tasks_per_minute: must be a valid integer"),
        ({"callers": {"a": {"spend_per_day": "5"}}}, "callers.a.spend_per_day: must be a number; it is '5'"),
        ({"callers": {"a": {"spend_per_day": -0.01}}}, "callers.a.spend_per_day: must be greater than or equal to 0"),
        ({"callers": {"a": 5}}, "callers.a: must be a valid dictionary"),
        ({"callers": ["a"]}, "callers: must be a valid dictionary"),
        ({"prices": {"m": "0.1"}}, "prices.m: must be a number; it is '0.1'"),
        ({"prices": {"m": True}}, "prices.m: must be a number; it is True"),
        ({"prices": {"m": -1}}, "prices.m: must be greater than or equal to 0"),
        ({"prices": {"m": float("nan")}}, "prices.m: must be a finite number"),
        ({"prices": {"m": float("inf")}}, "prices.m: must be a finite number"),
        ({"prices": {"": 1}}, "prices.: string should have at least 1 character"),
        ({"prices": 0.1}, "prices: must be a valid dictionary"),
    ],
)
def test_a_wrong_section_is_one_line_that_names_the_place(wrong: dict[str, object], line: str) -> None:
    """Whoever passes it: the file, or Ray's builder."""
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate(wrong)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
