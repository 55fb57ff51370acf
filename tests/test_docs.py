"""The pages of docs/ show the code as it is, and lead somewhere."""

import re
from pathlib import Path

import pytest

from deployments.engines import conformance
from deployments.settings import Environment

ROOT = Path(__file__).parent.parent
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
