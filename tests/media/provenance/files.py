"""Pictures with manifests, for the tests: AIGE's own, and those of somebody else's software."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from c2pa import Builder, C2paSignerInfo, Context, Reader, Signer
from PIL import Image
from pydantic import JsonValue

from deployments.media.images import PictureLimits
from deployments.media.provenance.certificate import Credentials, own_credentials
from deployments.media.provenance.marks import stamped
from deployments.media.provenance.signing import Signer as OurSigner
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement, c2pa_settings

LIMITS = PictureLimits()
MODEL = ("fal", "fal-ai/some-model")


@cache
def credentials() -> Credentials:
    """One certificate for all tests."""
    with TemporaryDirectory() as folder:
        return own_credentials(Path(folder) / "c2pa.pem", datetime.now(UTC))


@cache
def signer() -> OurSigner:
    return OurSigner(credentials)


def picture(size: tuple[int, int] = (32, 24), form: str = "PNG", seed: int = 0) -> bytes:
    """Encoded; no two parts of it alike."""
    out = io.BytesIO()
    scene = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * turn + seed).resize(size) for turn in range(3)])
    scene.save(out, form)
    return out.getvalue()


def signed(
    statement: Statement | None = None, data: bytes | None = None, source: DigitalSource = DigitalSource.TRAINED
) -> bytes:
    """A result of AIGE's: by default, one of a generative model."""
    statement = statement or Statement("background", source, (MODEL,))
    return signer().signed(stamped(data or picture(), statement.source, LIMITS), statement)


def foreign(data: bytes, media_type: str, *actions: Mapping[str, JsonValue], url: str | None = None) -> bytes:
    """Signed by somebody else's software; with a `url`, the manifest is said to lie there, and is not in the file."""
    own = credentials()
    native = Signer.from_info(C2paSignerInfo(own.algorithm.encode(), own.chain, own.key, None))
    manifest = {
        "claim_generator_info": [{"name": "Somebody's camera"}],
        "format": media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}],
    }
    out = io.BytesIO()
    builder = Builder(json.dumps(manifest), context=Context.from_dict(dict(c2pa_settings()), signer=native))
    if url is not None:
        builder.set_no_embed()
        builder.set_remote_url(url)
    builder.sign(media_type, io.BytesIO(data), out)
    return out.getvalue()


def read(data: bytes, media_type: str = "image/png") -> dict[str, JsonValue]:
    """What c2pa-python reads in it, by settings of its own but for the network."""
    context = Context.from_dict({"verify": {"remote_manifest_fetch": False}})
    with Reader(media_type, io.BytesIO(data), context=context) as reader:
        document: dict[str, JsonValue] = json.loads(reader.json())
        return document


def manifest_in(data: bytes) -> dict[str, JsonValue]:
    """The file's own manifest, as c2pa-python reads it."""
    document = read(data)
    manifests, active = document["manifests"], document["active_manifest"]
    assert isinstance(manifests, dict)
    assert isinstance(active, str)
    manifest = manifests[active]
    assert isinstance(manifest, dict)
    return manifest


def with_flipped_byte(data: bytes) -> bytes:
    """One bit of its pixels is another."""
    at = data.index(b"IDAT") + 12
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def with_changed_text(data: bytes) -> bytes:
    """Its pixels are whole, and its XMP packet was tampered with."""
    return data.replace(b'<?xpacket end="r"?>', b'<?xpacket end="w"?>')


def with_broken_manifest(data: bytes) -> bytes:
    """The manifest is there, and makes no sense from its middle on."""
    at = data.index(b"caBX") + 300
    return data[:at] + bytes(200) + data[at + 200 :]
