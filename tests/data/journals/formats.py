"""Whether what one version writes can be read by another: two JSON schemas of stored types, compared.

Readers ignore fields that they do not know, and fill fields that are missing with their defaults. All else must be the
same: they refuse a longer tuple, an unknown member of an enumeration, and another type.
"""

from collections.abc import Iterator
from typing import TypeAlias

from pydantic import JsonValue

Schema: TypeAlias = dict[str, JsonValue]


def unreadable(written: JsonValue, read: JsonValue) -> list[str]:
    """What in a document of the type `written` stops a reader of the type `read`: a line for each place."""
    return list(_Comparison(_object(written), _object(read)).faults("", _object(written), _object(read)))


class _Comparison:
    """Two schemas, each with the definitions (`$defs`) that its `$ref`s name."""

    def __init__(self, written: Schema, read: Schema) -> None:
        self._written, self._read = _object(written.get("$defs", {})), _object(read.get("$defs", {}))

    def faults(self, at: str, written: Schema, read: Schema) -> Iterator[str]:
        written, read = _resolved(written, self._written), _resolved(read, self._read)
        choices = _choices(read)
        if choices or _choices(written):
            for kind in _choices(written) or [written]:
                if all(list(self.faults(at, kind, choice)) for choice in choices or [read]):
                    yield from self._of_choice(at, kind, choices or [read])
        elif written.get("type") != read.get("type") or written.get("format") != read.get("format"):
            yield f"{at}: is {_kind(written)}, and was {_kind(read)}"
        elif written["type"] == "object":
            yield from self._of_object(at, written, read)
        elif written["type"] == "array":
            yield from self._of_array(at, written, read)
        elif "enum" in read or "const" in read:
            for value in _values(written):
                if value not in _values(read):
                    yield f"{at}: {value!r} is not known"

    def _of_choice(self, at: str, written: Schema, choices: list[Schema]) -> Iterator[str]:
        """Told of the choice that comes nearest: the others differ in kind."""
        yield from min((list(self.faults(at, written, choice)) for choice in choices), key=_distance)

    def _of_object(self, at: str, written: Schema, read: Schema) -> Iterator[str]:
        there, known = _object(written.get("properties", {})), _object(read.get("properties", {}))
        for name in there.keys() | known.keys():
            if name in there and name in known:
                yield from self.faults(f"{at}.{name}", _object(there[name]), _object(known[name]))
            elif name in known and name in _list(read.get("required", [])):
                yield f"{at}.{name}: is missing, and has no default"
            elif name in there and read.get("additionalProperties") is False:
                yield f"{at}.{name}: unknown fields are refused"
        if isinstance(values := read.get("additionalProperties"), dict):
            yield from self.faults(f"{at}[]", _object(written["additionalProperties"]), values)

    def _of_array(self, at: str, written: Schema, read: Schema) -> Iterator[str]:
        if written.get("maxItems") != read.get("maxItems"):
            yield f"{at}: has {written.get('maxItems')} places, and had {read.get('maxItems')}"
            return
        if "items" in read:
            yield from self.faults(f"{at}[]", _object(written["items"]), _object(read["items"]))
        places = zip(_list(written.get("prefixItems", [])), _list(read.get("prefixItems", [])), strict=True)
        for place, (one, other) in enumerate(places):
            yield from self.faults(f"{at}[{place}]", _object(one), _object(other))


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    while isinstance(name := schema.get("$ref"), str):
        schema = _object(definitions[name.removeprefix("#/$defs/")])
    return schema


def _choices(schema: Schema) -> list[Schema]:
    return [_object(choice) for choice in _list(schema.get("anyOf", schema.get("oneOf", [])))]


def _values(schema: Schema) -> list[JsonValue]:
    return [schema["const"]] if "const" in schema else _list(schema.get("enum", ["any text"]))


def _kind(schema: Schema) -> str:
    return " ".join(str(schema[word]) for word in ("type", "format") if word in schema)


def _distance(faults: list[str]) -> tuple[bool, int]:
    return any(": is " in fault and ", and was " in fault for fault in faults), len(faults)


def _object(value: JsonValue) -> Schema:
    assert isinstance(value, dict)
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value
