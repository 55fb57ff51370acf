"""What the commands print on: any terminal or pipe, whatever it can show."""

import io
import sys

from rich.console import Console
from rich.status import Status


def open_console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr; a character that its encoding lacks is shown as an escape, and stops nothing."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def can_redraw(console: Console) -> bool:
    """Whether a line can be written over; a dumb terminal cannot, and gets new lines as a pipe does."""
    return console.is_terminal and not console.is_dumb_terminal


def spinning(console: Console, text: str) -> Status:
    """A line that moves while something goes on; without Braille where the terminal has none."""
    return console.status(text, spinner="line" if console.options.ascii_only else "dots")
