"""What a result's manifest says, in the form that c2pa-python takes. Nothing of the request is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from deployments.media.provenance.ingredient import UNREADABLE, Ingredient
from deployments.media.provenance.sources import DigitalSource
from deployments.settings import VERSION

MADE_BY = "aige.made_by"
"""The parameter of `c2pa.created` that names engines and models."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`title` says what was made. `makers` are the engines that made pixels, each with its model's name, or None."""

    title: str
    source: DigitalSource
    makers: tuple[tuple[str, str | None], ...] = ()
    ingredients: tuple[Ingredient, ...] = ()

    def without_archives(self) -> "Statement":
        """The same, but of its ingredients' manifests it only says that they could not be kept."""
        plain = (
            replace(ingredient, archive=None, fault=UNREADABLE) if ingredient.archive else ingredient
            for ingredient in self.ingredients
        )
        return replace(self, ingredients=tuple(plain))


def manifest_of(statement: Statement) -> dict[str, JsonValue]:
    """The manifest's definition. Ingredients with an archive are not in it: they are added as they are."""
    agent: JsonValue = {"name": "AIGE", "version": VERSION}
    inputs: list[JsonValue] = [i.label for i in statement.ingredients if i.role == "inputTo"]
    parameters: dict[str, JsonValue] = {
        MADE_BY: [{"engine": engine, "model": model} for engine, model in statement.makers]
    }
    if inputs:
        parameters["ingredientIds"] = inputs
    created: JsonValue = {
        "action": "c2pa.created",
        "digitalSourceType": statement.source.uri,
        "softwareAgent": agent,
        "description": _in_words(statement.makers),
        "parameters": parameters,
    }
    placed: list[JsonValue] = [
        {"action": "c2pa.placed", "softwareAgent": agent, "parameters": {"ingredientIds": [ingredient.label]}}
        for ingredient in statement.ingredients
        if ingredient.role == "componentOf"
    ]
    return {
        "claim_generator_info": [agent],
        "title": statement.title,
        "format": "image/png",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created, *placed]}}],
        "ingredients": [_plain(ingredient) for ingredient in statement.ingredients if ingredient.archive is None],
    }


def c2pa_settings(trust: str | None = None) -> Mapping[str, JsonValue]:
    """How c2pa-python is to work: it asks nobody on the network, and makes no thumbnail.

    `trust` holds certificates, in PEM, whose holders are trusted.
    """
    settings: dict[str, JsonValue] = {
        "version": 1,
        "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    return {**settings, "trust": {"trust_anchors": trust}} if trust else settings


def _plain(ingredient: Ingredient) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = {
        "title": ingredient.title,
        "format": ingredient.media_type,
        "relationship": ingredient.role,
        "label": ingredient.label,
    }
    if ingredient.fault is None:
        return plain
    fault: JsonValue = {"code": ingredient.fault, "explanation": "Its manifest could not be read."}
    results: JsonValue = {"activeManifest": {"success": [], "informational": [], "failure": [fault]}}
    return {**plain, "validation_results": results}


def _in_words(makers: tuple[tuple[str, str | None], ...]) -> str:
    names = [engine if model is None else f"{engine} ({model})" for engine, model in makers]
    return f"Made by AIGE {VERSION}" + (f" with {', '.join(dict.fromkeys(names))}" if names else "") + "."
