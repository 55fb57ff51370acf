"""The studio's files: served, cached, guarded, and nothing else of the disk with them."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deployments.api import problems
from deployments.api.web_ui import web_ui_routes

SCRIPT = b"console.log('AIGE')"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built studio, with a secret beside it."""
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "dist" / "index.html").write_text("<!doctype html><title>AIGE</title>")
    (assets / "index-3f2a.js").write_bytes(SCRIPT)
    (assets / "index-3f2a.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "sample-9c1d.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path / "dist"


@pytest.fixture
async def client(dist: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the page."""
    app = FastAPI()
    app.include_router(web_ui_routes(dist))
    problems.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://aige.test") as client:
        yield client


async def test_the_page_is_asked_for_anew_each_time(client: httpx.AsyncClient) -> None:
    """`index.html` names the hashed files, so a cached one would point to files that a new build has replaced."""
    page = await client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-cache"
    assert "etag" in page.headers


@pytest.mark.parametrize(
    ("name", "media_type"), [("index-3f2a.js", "text/javascript"), ("sample-9c1d.jpg", "image/jpeg")]
)
async def test_assets_are_kept_for_ever(client: httpx.AsyncClient, name: str, media_type: str) -> None:
    """Their names change with their content: a browser need never ask again."""
    asset = await client.get(f"/assets/{name}")
    assert asset.status_code == 200
    assert asset.headers["content-type"].split(";")[0] == media_type
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("br, gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("gzip; q=0.001, br", "gzip"),
        ("identity", None),
        ("gzip;q=0, identity", None),
        ("br, gzip; q=0.00", None),
        ("x-gzip", None),
    ],
)
async def test_assets_travel_compressed_where_the_browser_takes_it(
    client: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    """The build compresses once; both ways lead to the same bytes, and caches keep them apart."""
    asset = await client.get("/assets/index-3f2a.js", headers={"Accept-Encoding": accepted})
    assert asset.headers.get("content-encoding") == encoding
    assert asset.headers["vary"] == "Accept-Encoding"
    assert asset.content == SCRIPT


@pytest.mark.parametrize("path", ["/", "/assets/index-3f2a.js", "/assets/sample-9c1d.jpg"])
async def test_a_browser_is_told_to_distrust(client: httpx.AsyncClient, path: str) -> None:
    """No script but our own runs, nobody frames the page, and no type is guessed."""
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/assets/..%5c..%5csecret.txt",
        "/assets/%2fetc%2fpasswd",
        "/assets//etc/passwd",
        "/assets/",
        "/assets/none.js",
        "/index.html",
        "/secret.txt",
    ],
)
async def test_no_path_leads_out(client: httpx.AsyncClient, path: str) -> None:
    """Only the listed files are served; everything else is not found, as a problem document."""
    answer = await client.send(client.build_request("GET", httpx.URL("http://aige.test", raw_path=path.encode())))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_files_are_assets(client: httpx.AsyncClient, dist: Path) -> None:
    """A folder among the assets is no asset."""
    (dist / "assets" / "folder").mkdir()
    assert (await client.get("/assets/folder")).status_code == 404


async def test_without_a_build_the_page_says_how_to_get_one(client: httpx.AsyncClient, dist: Path) -> None:
    """The service is whole without Node; who opens it in a browser learns what to do."""
    (dist / "index.html").unlink()
    page = await client.get("/")
    assert page.status_code == 200
    assert "Node.js 20" in page.text
    assert "make run" in page.text


async def test_without_a_folder_nothing_breaks(tmp_path: Path) -> None:
    """No build at all: the page still answers, and assets are not found."""
    app = FastAPI()
    app.include_router(web_ui_routes(tmp_path / "nowhere"))
    problems.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://aige.test") as client:
        assert "make run" in (await client.get("/")).text
        assert (await client.get("/assets/index.js")).status_code == 404
