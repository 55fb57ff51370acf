"""The config file, as people's editors save it, and broken."""

from pathlib import Path

import pytest

from deployments.errors import SettingsError
from deployments.settings import Settings


@pytest.mark.parametrize(
    "text",
    [
        "",
        "applications: []",
        "applications: {}",
        "- 1",
        "a: [",
        "a:\n\tb: 1",
        "applications: [1]",
        "applications: 2026-13-41",
        "applications: [{args: [1]}]",
        "applications: [{args: fünf}]".encode("latin-1"),
        "applications: []".encode("utf-16-le"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, text: str | bytes) -> None:
    """Whatever is broken about it."""
    path = tmp_path / "serve_config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        Settings.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match=r"none\.yaml cannot be read: No such file or directory"):
        Settings.load(tmp_path / "none.yaml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_encodings_are_told_apart_by_their_marks(tmp_path: Path, encoding: str) -> None:
    """As editors on other systems save it."""
    path = tmp_path / "serve_config.yaml"
    path.write_text("applications: [{args: {engine: local}}] # für uns", encoding=encoding)
    assert Settings.load(path).engine == "local"
