"""From the errors that come through Ray, with a traceback for each process on their way, to one line."""

import itertools
import re


def summary(message: str) -> str:
    """The error in what may be several nested tracebacks, in one line: one of ours, else the last."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", message)
    if ours := re.findall(r"^deployments\.[\w.]+: (.+)$", plain, re.MULTILINE):
        return str(ours[-1])
    last = plain.rpartition("Traceback (most recent call last):")[2].strip("\n").splitlines()
    said = itertools.dropwhile(lambda line: line.startswith(" "), last)
    return " ".join(line.strip() for line in said)[:500]
