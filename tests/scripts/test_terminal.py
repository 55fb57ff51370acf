"""Commands print on any terminal."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest
from rich.console import Console

from scripts.terminal import can_redraw, open_console, spinning


@pytest.mark.parametrize("stderr", [False, True])
def test_a_character_that_the_encoding_lacks_stops_nothing(stderr: bool) -> None:
    """It is shown as an escape: the path of a data folder may hold any."""
    shown = io.BytesIO()
    terminal = io.TextIOWrapper(shown, "latin-1", write_through=True)
    with redirect_stderr(terminal) if stderr else redirect_stdout(terminal):
        open_console(stderr=stderr).print("Ready: Bücher/🙂")
    assert shown.getvalue() == b"Ready: B\xfccher/\\U0001f642\n"


@pytest.mark.parametrize(("encoding", "spinner"), [("latin-1", "line"), ("utf-8", "dots")])
def test_the_spinner_is_of_the_terminals_characters(
    monkeypatch: pytest.MonkeyPatch, encoding: str, spinner: str
) -> None:
    """Braille would end the start on a terminal that has none."""
    monkeypatch.setenv("TERM", "xterm")
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding), force_terminal=True)
    status = spinning(console, "Starting")
    assert status.renderable.name == spinner
    with status:
        status.update("Starting Ray")


@pytest.mark.parametrize(("term", "redraws"), [("xterm", True), ("dumb", False), ("unknown", False)])
def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, term: str, redraws: bool) -> None:
    """As a pipe does."""
    monkeypatch.setenv("TERM", term)
    assert can_redraw(Console(file=io.StringIO(), force_terminal=True)) is redraws
    assert not can_redraw(Console(file=io.StringIO()))
