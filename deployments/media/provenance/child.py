"""The process that reads manifests of strangers: `python -m deployments.media.provenance.child [TRUST FILE]`.

A manifest is written by anybody, and read by a large library. Here it can neither hang nor fill a process that serves
tasks: each question has a time limit, after which the kernel ends the process, whatever it is doing, and its memory
is bounded. It asks nobody on the network.

A question is a line of JSON (`Question`) and the picture; the answer is a line of JSON (`Answer`).
"""

import io
import json
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from deployments.media.provenance.ingredient import Role, label_of
from deployments.media.provenance.report import BROKEN, UNSIGNED, Report, report_of
from deployments.media.provenance.statement import c2pa_settings

MEMORY_BYTES = 2 * 2**30


class Question(BaseModel):
    """`size` bytes of a picture follow. With a `title`, it is also to be packed as an ingredient."""

    size: int
    media_type: str
    seconds: float
    title: str | None = None
    role: Role = "inputTo"


class Answer(BaseModel):
    """`archive` is the packed ingredient, where one was asked for and its manifest can be read."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    report: Report
    archive: bytes | None = None


def main(trust: str | None) -> None:
    """Answers questions until there are no more."""
    with suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})  # whatever the thread that started this has blocked
    from c2pa import Context

    context = Context.from_dict(dict(c2pa_settings(trust)))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := asked.readline():
        question = Question.model_validate_json(line)
        data = asked.read(question.size)
        signal.setitimer(signal.ITIMER_REAL, question.seconds)
        answer = _answer(question, data, context)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(answer.model_dump_json().encode() + b"\n")
        answers.flush()


def _answer(question: Question, data: bytes, context: object) -> Answer:
    from c2pa import C2paError

    try:
        report = _report(question.media_type, data, context)
    except (C2paError, ValueError, RecursionError):
        return Answer(report=BROKEN)
    if question.title is None or not report.signed:
        return Answer(report=report)
    try:
        return Answer(report=report, archive=_archive(question, data, context))
    except C2paError:
        return Answer(report=report)


def _report(media_type: str, data: bytes, context: object) -> Report:
    """What the file itself says; a manifest that lies elsewhere is not looked for."""
    from c2pa import C2paError, Reader

    try:
        with Reader(media_type, io.BytesIO(data), context=context) as reader:
            return report_of(json.loads(reader.json()))
    except C2paError.ManifestNotFound:
        return UNSIGNED
    except C2paError as error:
        if str(error).startswith("Remote"):
            return UNSIGNED
        raise


def _archive(question: Question, data: bytes, context: object) -> bytes:
    from c2pa import Builder

    title = question.title or ""
    ingredient = {"title": title, "relationship": question.role, "label": label_of(title)}
    archive = io.BytesIO()
    with Builder("{}", context=context) as builder:
        builder.add_ingredient(ingredient, question.media_type, io.BytesIO(data))
        builder.write_ingredient_archive(label_of(title), archive)
    return archive.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_text(encoding="utf-8") if len(sys.argv) > 1 else None)
