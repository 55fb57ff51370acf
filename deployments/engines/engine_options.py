"""What the options of the built-in engines have in common: they are strict, and a fault is told in one line."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from deployments.config_file import first_fault
from deployments.errors import SettingsError


class StrictModel(BaseModel):
    """Takes no field that it does not have, and no number that is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EngineOptions(StrictModel):
    """One engine's options in `serve_config.yaml`."""

    @classmethod
    def parse(cls, options: Mapping[str, object], place: str = "engine_options") -> Self:
        """The options, which stand at `place` in the configuration, checked.

        Raises:
            SettingsError: one line on the first thing wrong.
        """
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            raise SettingsError(first_fault(error, place=place)) from None
