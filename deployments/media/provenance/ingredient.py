"""What a picture was made of."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

Role = Literal["inputTo", "componentOf"]
"""C2PA's relationships: what a model was given or has made, and what was put on a canvas."""

UNREADABLE = "general.error"
"""C2PA's code for what fails in no foreseen way: here, a manifest that cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that another one was made of; no bytes of its pixels.

    `title` says what it was to the task, such as `photo 1`; it is unique within a task. `archive` is its manifest, and
    what was found when that was checked, as c2pa-python packs it; None where it has none, or where its manifest cannot
    be kept: then `fault` is C2PA's code for the reason. `generative`: its manifest, sound or not, says that a
    generative model took part.
    """

    __pydantic_config__: ClassVar = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    title: str
    media_type: str
    role: Role
    archive: bytes | None = None
    generative: bool = False
    fault: str | None = None

    @property
    def label(self) -> str:
        """Its name within a manifest."""
        return label_of(self.title)


def label_of(title: str) -> str:
    """An ingredient's name within a manifest, by its title."""
    return title.replace(" ", "-")
