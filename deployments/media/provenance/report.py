"""What a picture's manifest says, in AIGE's words: from the document that c2pa-python reads out of a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from deployments.media.provenance.ingredient import UNREADABLE
from deployments.media.provenance.sources import is_generative, short_name
from deployments.media.provenance.statement import MADE_BY

_UNTRUSTED = "signingCredential.untrusted"
_SOUND = frozenset({"Valid", "Trusted"})

Json = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class MadeBy:
    """An engine, or the software that a manifest of somebody else's names, and its model."""

    engine: str
    model: str | None


@dataclass(frozen=True, slots=True)
class IngredientReport:
    """What is said of an ingredient. `valid`: it had a manifest, and that was sound when the picture was made."""

    title: str
    issuer: str | None
    valid: bool
    digital_source_type: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What `POST /verify` answers; a picture without a manifest has the defaults.

    `valid`: nothing was changed since it was signed. `trusted`: its signer is on the operator's trust list. `issuer` is
    the organisation in the signer's certificate. `problems` are C2PA's codes; an untrusted signer is not listed.
    """

    signed: bool = False
    valid: bool = False
    issuer: str | None = None
    trusted: bool = False
    digital_source_type: str | None = None
    made_by: tuple[MadeBy, ...] = ()
    ingredients: tuple[IngredientReport, ...] = ()
    problems: tuple[str, ...] = ()
    generative: bool = False


UNSIGNED = Report()
BROKEN = Report(signed=True, problems=(UNREADABLE,))
"""There is a manifest, and it cannot be read."""


def report_of(document: Json) -> Report:
    """The report on a file, from what c2pa-python's `Reader.json()` says of it."""
    manifests = _mapping(document.get("manifests"))
    active = _mapping(manifests.get(_text(document.get("active_manifest")) or ""))
    state = _text(document.get("validation_state"))
    return Report(
        signed=True,
        valid=state in _SOUND,
        issuer=_issuer(active),
        trusted=state == "Trusted",
        digital_source_type=_source(active),
        made_by=tuple(_makers(active)),
        ingredients=tuple(_ingredient(i, manifests) for i in _mappings(active.get("ingredients"))),
        problems=tuple(dict.fromkeys(_faults(document.get("validation_status")))),
        generative=any(is_generative(source) for source in _sources(active)),
    )


def _ingredient(ingredient: Json, manifests: Json) -> IngredientReport:
    manifest = _mapping(manifests.get(_text(ingredient.get("active_manifest")) or ""))
    results = _mapping(_mapping(ingredient.get("validation_results")).get("activeManifest"))
    faults = [*_faults(results.get("failure")), *_faults(ingredient.get("validation_status"))]
    return IngredientReport(
        title=_text(ingredient.get("title")) or "",
        issuer=_issuer(manifest),
        valid=bool(manifest) and not faults,
        digital_source_type=_source(manifest),
    )


def _issuer(manifest: Json) -> str | None:
    signature = _mapping(manifest.get("signature_info"))
    return _text(signature.get("issuer")) or _text(signature.get("common_name"))


def _source(manifest: Json) -> str | None:
    """The type of the whole picture: the first that an action names, of which `c2pa.created` comes first."""
    return next(_sources(manifest), None)


def _sources(manifest: Json) -> Iterator[str]:
    for action in _actions(manifest):
        if uri := _text(action.get("digitalSourceType")):
            yield short_name(uri)


def _makers(manifest: Json) -> list[MadeBy]:
    """Those whom AIGE names; of a manifest of somebody else's, the software that acted."""
    agents: dict[str, None] = {}
    for action in _actions(manifest):
        parameters = _mapping(action.get("parameters"))
        if MADE_BY in parameters:
            named = _mappings(parameters[MADE_BY])
            return [MadeBy(_text(maker.get("engine")) or "", _text(maker.get("model"))) for maker in named]
        agent = action.get("softwareAgent")
        name = _text(agent) or _text(_mapping(agent).get("name"))
        if name:
            agents[name] = None
    return [MadeBy(name, None) for name in agents]


def _actions(manifest: Json) -> Iterator[Json]:
    for assertion in _mappings(manifest.get("assertions")):
        if (_text(assertion.get("label")) or "").startswith("c2pa.actions"):
            yield from _mappings(_mapping(assertion.get("data")).get("actions"))


def _faults(statuses: JsonValue) -> list[str]:
    codes = (_text(status.get("code")) for status in _mappings(statuses))
    return [code for code in codes if code and code != _UNTRUSTED]


def _mapping(value: JsonValue) -> Json:
    return value if isinstance(value, dict) else {}


def _mappings(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
