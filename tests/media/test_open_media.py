"""From settings to the object store and the door out."""

from pathlib import Path

import pytest

from deployments.errors import SettingsError
from deployments.media.destinations import Refused
from deployments.media.open_media import open_egress, open_store, open_webhook_egress
from deployments.media.storage import BuiltinStore
from deployments.media.storage.s3 import S3Store
from deployments.settings import S3, Environment, Settings
from tests.faults.web import PICTURE, Web


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    monkeypatch.setenv("AIGE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("AIGE_STORAGE_SECRET", raising=False)
    return Environment()


async def test_the_built_in_store_lies_in_the_data_folder(environment: Environment, tmp_path: Path) -> None:
    """Its secret too, which is kept there; what it has signed is read past the network."""
    store = open_store(Settings(), environment)
    assert isinstance(store, BuiltinStore)
    signed = store.presign(None, "http://127.0.0.1:1")
    egress = open_egress(Settings(), environment)
    assert (await egress.put(signed.write_url, PICTURE, {})).status == 200
    assert await egress.fetch(signed.read_url, len(PICTURE)) == PICTURE
    await egress.aclose()
    assert (tmp_path / "storage.secret").stat().st_mode & 0o077 == 0


async def test_a_named_host_is_let_through(environment: Environment, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `AIGE_ALLOW_HOSTS` says, and no other."""
    monkeypatch.setenv("AIGE_ALLOW_HOSTS", f"127.0.0.1:{web.port}")
    egress = open_egress(Settings(), Environment())
    assert await egress.fetch(f"http://127.0.0.1:{web.port}/picture", len(PICTURE)) == PICTURE
    await egress.aclose()
    monkeypatch.setenv("AIGE_ALLOW_HOSTS", "127.0.0.1")
    with pytest.raises(SettingsError, match="host:port"):
        open_egress(Settings(), Environment())


async def test_webhooks_have_a_door_of_their_own(
    environment: Environment, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named hosts are let through; our own store is not asked, wherever its URLs lead."""
    monkeypatch.setenv("AIGE_ALLOW_HOSTS", f"127.0.0.1:{web.port}")
    egress = open_webhook_egress(Environment())
    assert await egress.post(f"http://127.0.0.1:{web.port}/hook", b"{}", {}, seconds=5) == 200
    signed = open_store(Settings(), environment).presign(None, "http://127.0.0.1:1")
    with pytest.raises(Refused, match="the URL leads to no public internet host"):
        await egress.post(signed.write_url, b"{}", {}, seconds=5)
    await egress.aclose()


def test_a_bucket_is_opened_where_one_is_set(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the credentials of the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    settings = Settings(storage="s3", s3=S3(bucket="pictures", endpoint_url="http://127.0.0.1:1"))
    store = open_store(settings, environment)
    assert isinstance(store, S3Store)
    assert store.presign(None, "").read_url.startswith("http://127.0.0.1:1/pictures/")
