"""`docs/architecture.md` says which test proves what: they are all there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_test_that_is_named_is_there() -> None:
    """A proof that was renamed or removed must not go unnoticed."""
    named = set(re.findall(r"`(test_\w+)", (ROOT / "docs/architecture.md").read_text(encoding="utf-8")))
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}
    assert len(named) > 10
    assert named - there == set()
