"""Commands print on any terminal."""

import io
import sys

import pytest
from rich.console import Console

from scripts.terminal import can_redraw, open_console, spinning


@pytest.mark.parametrize("stderr", [False, True])
def test_a_character_that_the_encoding_lacks_stops_nothing(monkeypatch: pytest.MonkeyPatch, stderr: bool) -> None:
    """It is shown as an escape: the path of a data folder may hold any."""
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stderr" if stderr else "stdout", io.TextIOWrapper(shown, "latin-1", write_through=True))
    open_console(stderr=stderr).print("Ready: Bücher/🙂")
    assert shown.getvalue() == b"Ready: B\xfccher/\\U0001f642\n"


@pytest.mark.parametrize(("encoding", "spinner"), [("latin-1", "line"), ("utf-8", "dots")])
def test_the_spinner_is_of_the_terminals_characters(encoding: str, spinner: str) -> None:
    """Braille would end the start on a terminal that has none."""
    terminal = io.TextIOWrapper(io.BytesIO(), encoding)
    console = Console(file=terminal, force_terminal=True, _environ={"TERM": "xterm"})
    status = spinning(console, "Starting")
    assert status.renderable.name == spinner
    with status:
        status.update("Starting Ray")


@pytest.mark.parametrize(("term", "redraws"), [("xterm", True), ("dumb", False), ("unknown", False)])
def test_a_dumb_terminal_gets_lines(term: str, redraws: bool) -> None:
    """As a pipe does."""
    assert can_redraw(Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": term})) is redraws
    assert not can_redraw(Console(file=io.StringIO(), _environ={"TERM": term}))
