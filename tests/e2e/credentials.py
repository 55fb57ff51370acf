"""What results say of themselves, as c2pa-python and the service read it; and what they must not say."""

import base64

from pydantic import JsonValue

from tests.e2e.service import Service
from tests.media.provenance.files import manifest_in, read


def said_by(service: Service, data: bytes) -> dict[str, JsonValue]:
    """What the service says of a picture; both it and c2pa-python find it valid."""
    assert read(data)["validation_state"] == "Valid"
    answer = service.http.post("/verify", content=data)
    assert answer.status_code == 200, answer.text
    said: dict[str, JsonValue] = answer.json()
    assert (said["signed"], said["valid"], said["trusted"], said["problems"]) == (True, True, False, [])
    source = f"digitalsourcetype/{said['digital_source_type']}"
    assert f"{source}</Iptc4xmpExt:DigitalSourceType>".encode() in data, "the XMP packet says the same"
    return said


def ingredients(said: dict[str, JsonValue]) -> list[tuple[JsonValue, JsonValue, JsonValue]]:
    """Title, validity and type of each, by title."""
    listed = said["ingredients"]
    assert isinstance(listed, list)
    found = [(i["title"], i["valid"], i["digital_source_type"]) for i in listed if isinstance(i, dict)]
    return sorted(found, key=str)


def assert_tells_nothing(data: bytes, *secrets: str) -> None:
    """Neither in the file nor in what is unpacked of it."""
    text = str(read(data)) + str(manifest_in(data))
    for secret in secrets:
        assert secret.encode() not in data, secret
        assert secret not in text, secret
        assert base64.b64encode(secret.encode()) not in data, secret
    assert "thumbnail" not in text
