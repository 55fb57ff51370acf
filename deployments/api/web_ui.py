"""The studio's files as its build leaves them: `index.html`, and `assets/`, whose names carry a hash of the content."""

import mimetypes
import re
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import FileResponse, HTMLResponse

from deployments.errors import NotFound

_SAFELY = MappingProxyType(
    {
        # Styled components write into empty style elements by script: the hash is that of no text at all.
        # Pictures lie in whatever object store the service uses, and the API may be set to another host.
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; worker-src 'self'; "
            "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
            "img-src 'self' blob: data: http: https:; connect-src 'self' blob: data: http: https:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
_INDEX = {**_SAFELY, "Cache-Control": "no-cache"}
_ASSET = {**_SAFELY, "Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>AIGE</title>
<h1>AIGE is running, without the studio</h1>
<p><code>make run</code> builds the studio if Node.js 20.19 or newer is installed, with npm.
Install them, stop the service and run <code>make run</code> again.</p>
<p>All else works without it: the API is described at <a href="/docs">/docs</a>.</p>
</html>
"""


def web_ui_routes(dist: Path) -> APIRouter:
    """The routes that serve what `npm run build` left in `dist`; a plain page stands in where it has not run."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def index() -> Response:
        page = dist / "index.html"
        return FileResponse(page, headers=_INDEX) if page.is_file() else HTMLResponse(_NOT_BUILT, headers=_INDEX)

    @router.get("/assets/{name}")
    def asset(name: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
        files = _files_in(dist / "assets")
        if name not in files:
            raise NotFound("The studio has no such file. Reload the page: it may have been built anew.")
        media_type, _ = mimetypes.guess_type(name)
        packed = files.get(f"{name}.gz")
        if packed and _takes_gzip(accept_encoding):
            return FileResponse(packed, media_type=media_type, headers={**_ASSET, "Content-Encoding": "gzip"})
        return FileResponse(files[name], media_type=media_type, headers=_ASSET)

    return router


def _takes_gzip(accepted: str) -> bool:
    """Whether this `Accept-Encoding` names gzip, and not with a weight of 0."""
    codings = (coding.replace(" ", "").partition(";") for coding in accepted.lower().split(","))
    return any(name == "gzip" and not re.fullmatch(r"q=0(\.0*)?", weight) for name, _, weight in codings)


def _files_in(folder: Path) -> dict[str, Path]:
    """The files directly in `folder` by name. Only what is listed is served: no name can lead out of the folder."""
    return {path.name: path for path in folder.iterdir() if path.is_file()} if folder.is_dir() else {}
