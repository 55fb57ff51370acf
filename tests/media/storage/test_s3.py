"""URLs for a bucket are signed so that a real S3 server, which checks signatures, takes them and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import boto3
import httpx
import pytest

from deployments.errors import InvalidRequest, SettingsError
from deployments.media.signed_urls import expires_at
from deployments.media.storage.s3 import S3Store
from tests.running import free_port

BUCKET = "pictures"
PREFIX = "aige/"
PNG = b"\x89PNG\r\n\x1a\n and so on"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ministack of our own, which verifies signatures, with an empty bucket."""
    port = free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SERVICES": "s3,iam,sts", "AUTH": "true"}
    with subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env=os.environ | settings,
        cwd=tmp_path_factory.mktemp("ministack"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert any("Running on" in line for line in server.stdout), "ministack did not start"
            url = f"http://127.0.0.1:{port}"
            boto3.client(
                "s3",
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            ).create_bucket(Bucket=BUCKET)
            yield url
        finally:
            server.terminate()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(endpoint: str) -> S3Store:
    return S3Store(BUCKET, endpoint, prefix=PREFIX)


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", None])
def test_what_is_put_can_be_got(store: S3Store, content_type: str | None) -> None:
    """Whatever type a browser sends with its photo, or none, the PUT is taken; also a second one."""
    signed = store.presign(None, "")
    headers = {"Content-Type": content_type} if content_type else {}
    for body in (b"first", PNG):
        assert httpx.put(signed.write_url, content=body, headers=headers).status_code == 200
    response = httpx.get(signed.read_url)
    assert (response.status_code, response.content) == (200, PNG)


def test_fresh_urls_are_for_the_same_object(store: S3Store) -> None:
    """The key alone brings a client back to its object, which lies under the prefix."""
    signed = store.presign(None, "")
    httpx.put(signed.write_url, content=PNG)
    again = store.presign(signed.key, "")
    assert httpx.get(again.read_url).content == PNG
    assert httpx.URL(again.read_url).path == f"/{BUCKET}/{PREFIX}{signed.key}"


def test_the_server_refuses_what_we_have_not_signed(store: S3Store) -> None:
    """A changed signature or key, the other method, and no signature at all: 403."""
    signed, other = store.presign(None, ""), store.presign(None, "")
    httpx.put(signed.write_url, content=PNG)
    flipped = signed.read_url[:-1] + ("0" if signed.read_url[-1] != "0" else "1")
    assert httpx.get(flipped).status_code == 403
    assert httpx.put(signed.write_url.replace(signed.key, other.key), content=PNG).status_code == 403
    assert httpx.get(signed.write_url).status_code == 403
    assert httpx.put(signed.read_url, content=PNG).status_code == 403


def test_another_secret_is_refused(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that the server does not know sign nothing."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    signed = S3Store(BUCKET, endpoint).presign(None, "")
    assert httpx.put(signed.write_url, content=PNG).status_code == 403


def test_urls_expire(store: S3Store) -> None:
    """The write URL works for an hour, the read URL for a week: so they say, signed, and a server keeps to it."""
    signed = store.presign(None, "")
    lifetimes = [httpx.URL(url).params["X-Amz-Expires"] for url in (signed.write_url, signed.read_url)]
    assert lifetimes == ["3600", "604800"]
    longer = str(httpx.URL(signed.write_url).copy_set_param("X-Amz-Expires", "3601"))
    assert httpx.put(longer, content=PNG).status_code == 403


def test_the_expiry_that_is_told_is_the_urls_own(store: S3Store) -> None:
    """`expires_at` is what the write URL itself says, to the second in which it was signed."""
    signed = store.presign(None, "")
    told = expires_at(signed.write_url)
    assert told is not None
    assert abs(told - signed.expires_at) <= timedelta(seconds=2)


@pytest.mark.parametrize("key", ["", "..", "../other", "a" * 31, "A" * 32, "a" * 32 + "/x", "a" * 31 + "\0"])
def test_only_our_own_keys_are_signed(store: S3Store, key: str) -> None:
    """Nobody is handed a URL for another object of the bucket."""
    with pytest.raises(InvalidRequest, match="The key is not one that this store handed out"):
        store.presign(key, "")


def test_amazon_is_asked_in_the_buckets_region() -> None:
    """AWS answers requests at its global name with a redirect, which no uploader may follow."""
    signed = S3Store("pictures", region="eu-central-1").presign(None, "")
    assert httpx.URL(signed.write_url).host == "pictures.s3.eu-central-1.amazonaws.com"


def test_without_credentials_the_start_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the first client finds out, but the operator."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID"):
        S3Store(BUCKET)
