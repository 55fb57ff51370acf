"""The README is true: its commands run, and it names every route and dependency that there is."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from tests.e2e.service import API_KEY, Service

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_walk_through_runs_as_it_stands(service: Service, tmp_path: Path) -> None:
    """From the first presign to the finished overlay; only the port differs, and this server wants a key."""
    assert shutil.which("jq"), "the walk-through needs jq: install Debian's package jq"
    (script,) = blocks("bash")
    script = script.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{service.http.base_url.port}")
    key = f'curl() {{ command curl -H "Authorization: Bearer {API_KEY}" "$@"; }}\n'
    shutil.copytree(ROOT / "scripts/sample", tmp_path / "scripts/sample")
    bash = [shutil.which("bash") or "", "-euo", "pipefail", "-c", key + script]
    ran = subprocess.run(bash, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert '"status": "done"' in ran.stdout
    assert (tmp_path / "overlay.png").read_bytes().startswith(b"\x89PNG")
    *_, last = ran.stdout.strip().splitlines()
    assert json.loads(last[last.index('{"type"') :])["status"] == 409


def test_its_make_targets_exist() -> None:
    """Each has a line in `make help`; the commands themselves are tested in `tests/test_commands.py`."""
    offered = set(re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", "".join(blocks("sh")))) <= offered


def test_it_names_every_route(service: Service) -> None:
    """As the OpenAPI document has them."""
    paths = service.http.get(f"http://127.0.0.1:{service.http.base_url.port}/openapi.json").json()["paths"]
    named = re.sub(r"\{[^}]*\}", "{}", README)
    for path in paths:
        assert re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1")) in named, path


def test_it_gives_a_reason_for_every_dependency() -> None:
    """Dependencies are few, and each is there for something."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = README.partition("| package | reason |")[2]
    for requirement in project["dependencies"]:
        assert re.split(r"[\[=]", requirement)[0] in reasons, requirement


def test_its_links_lead_somewhere() -> None:
    """Within the project; an anchor names a heading."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs
