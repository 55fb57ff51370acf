"""The pages of docs/ show the code as it is, and lead somewhere."""

import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.api.webhook_message import body_of, headers_of
from deployments.engines import conformance
from deployments.settings import Environment, webhook_secrets
from deployments.tasks.webhook import Webhook
from tests.tasks.in_process import AT, task_and_work

ROOT = Path(__file__).parent.parent
WEBHOOKS = ROOT / "docs/webhooks.md"
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md"))]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_guide_to_engines_shows_the_tested_engine() -> None:
    """Its code is that of the example and of its tests, to the letter."""
    engine, tests = re.findall(r"```python\n(.*?)```", _text(ROOT / "docs/engines.md"), re.DOTALL)
    assert engine == _text(ROOT / "tests/engines/example_engine.py")
    assert tests in _text(ROOT / "tests/engines/test_conformance.py")


def test_the_guide_to_engines_names_every_conformance_test() -> None:
    """What an author's engine is tested for is written down."""
    there = {name for name in dir(conformance.PaidEngineConformance) if name.startswith("test_")}
    assert set(re.findall(r"`(test_\w+)`", _text(ROOT / "docs/engines.md"))) == there


def _signed(secrets: str) -> tuple[dict[str, str], str]:
    """The headers and the body of a webhook that is sent now."""
    task = replace(task_and_work("a-task")[0], webhook=Webhook(), notes=("Ünïcödé.",)).attempted().finished(1, AT)
    body = body_of(task)
    return headers_of(task, datetime.now(UTC), body, webhook_secrets(secrets)), body.decode()


def _python(folder: Path, calls: list[list[object]]) -> list[str]:
    """What the page's Python makes of these calls: the id of the task, or the error's text."""
    (code,) = re.findall(r"```python\n(.*?)```", _text(WEBHOOKS), re.DOTALL)
    script = folder / "verify.py"
    script.write_text(code + PYTHON_MAIN, encoding="utf-8")
    return _output([sys.executable, str(script)], calls)


def _typescript(folder: Path, calls: list[list[object]]) -> list[str]:
    """The same of its TypeScript, which is compiled strictly."""
    (code,) = re.findall(r"```ts\n(.*?)```", _text(WEBHOOKS), re.DOTALL)
    script = folder / "verify.mts"
    script.write_text(code + TYPESCRIPT_MAIN, encoding="utf-8")
    modules = ROOT / "frontend/node_modules"
    compiler = [str(modules / ".bin/tsc"), "--strict", "--noUncheckedIndexedAccess", "--target", "es2022"]
    compiler += ["--module", "nodenext", "--typeRoots", str(modules / "@types"), "--types", "node", str(script)]
    compiled = subprocess.run(compiler, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout
    node = shutil.which("node")
    assert node, "this test needs Node.js 20.19 or newer"
    return _output([node, str(script.with_suffix(".mjs"))], calls)


PYTHON_MAIN = """
import sys
for secret, headers, body in json.load(sys.stdin):
    try:
        print(verified(secret, headers, body.encode())["data"]["aige_task_id"])
    except ValueError as error:
        print(error)
"""
TYPESCRIPT_MAIN = """
import { readFileSync } from "node:fs";
type Call = [string, Record<string, string>, string];
for (const [secret, headers, body] of JSON.parse(readFileSync(0, "utf8")) as Call[]) {
  try {
    console.log((verified(secret, headers, body) as { data: { aige_task_id: string } }).data.aige_task_id);
  } catch (error) {
    console.log((error as Error).message);
  }
}
"""


def _output(command: list[str], calls: list[list[object]]) -> list[str]:
    ran = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    "verify",
    [
        pytest.param(_python, id="Python"),
        pytest.param(_typescript, id="TypeScript", marks=pytest.mark.exhaustive),  # compiling takes seconds
    ],
)
def test_the_page_on_webhooks_verifies_signatures(
    verify: Callable[[Path, list[list[object]]], list[str]], tmp_path: Path
) -> None:
    """As it stands: either of two secrets, and nothing that was changed, is old, or is signed by somebody else."""
    one, other, foreign = (f"whsec_{b64encode(bytes([number]) * 32).decode()}" for number in range(3))
    headers, body = _signed(f"{one},{other}")
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    calls: list[list[object]] = [
        [one, headers, body],
        [other, headers, body],
        [foreign, headers, body],
        [one, headers, f"{body} "],
        [one, {**headers, "webhook-id": "another"}, body],
        [one, old, body],
    ]
    refused = "not signed with this secret"
    assert verify(tmp_path, calls) == ["a-task", "a-task", refused, refused, refused, "too old"]


@pytest.mark.parametrize("name", Environment.model_fields)
def test_every_variable_is_documented(name: str) -> None:
    """A setting that nobody can find is not one: the README links to the page that names them all."""
    assert f"`{name.upper()}`" in _text(ROOT / "docs/operations.md")
    assert "](docs/operations.md)" in _text(ROOT / "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Within the project; an anchor names a heading."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", _text(page)):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in {_slug(heading) for heading in re.findall(r"^#+ (.*)$", _text(file), re.MULTILINE)}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_are_named_are_there(page: Path) -> None:
    """Files and folders of the project, in backquotes, as they are now."""
    for path in re.findall(r"`((?:deployments|docs|frontend|scripts|tests|benchmarks)/[\w./-]+)`", _text(page)):
        assert (ROOT / path).exists(), path
