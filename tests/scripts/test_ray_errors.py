"""What the user reads of an error that comes through Ray."""

import pytest

from scripts.ray_errors import summary

OURS = """\x1b[36mray::Ingress.__init__()\x1b[39m (pid=1, ip=127.0.0.1)
  File "x.py", line 1, in y
RuntimeError: Traceback (most recent call last):
  File "x.py", line 1, in y
sqlite3.DatabaseError: file is not a database

The above exception was the direct cause of the following exception:

\x1b[36mray::TaskStatus.__init__()\x1b[39m (pid=2)
  File "x.py", line 1, in y
deployments.tasks.journal.JournalBroken: the journal cannot be opened: move it away
  some more
"""
THEIRS = """Traceback (most recent call last):
  File "x.py", line 1, in y
ValueError: \x1b[31mfirst\x1b[0m

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "x.py", line 1, in y
RuntimeError: last
  and what it means
"""


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (OURS, "the journal cannot be opened: move it away"),
        (THEIRS, "RuntimeError: last and what it means"),
        ("no traceback", "no traceback"),
        ("\x1b[31mcoloured\x1b[0m", "coloured"),
    ],
)
def test_one_line_of_it(message: str, line: str) -> None:
    """Our own error where there is one, without Ray's names and colours; else the last."""
    assert summary(message) == line
