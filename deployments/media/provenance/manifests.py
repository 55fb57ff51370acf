"""Asks what the manifests of strangers say: in a process of its own, within bounds of time, memory and number."""

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from deployments.errors import Unavailable
from deployments.media.images import sniff
from deployments.media.provenance.child import Answer, Question
from deployments.media.provenance.ingredient import UNREADABLE, Ingredient, Role
from deployments.media.provenance.marks import may_hold_manifest
from deployments.media.provenance.report import BROKEN, UNSIGNED, Report

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""For one picture."""
MOST_ARCHIVE_BYTES = 2**20
"""Of an ingredient's manifest: a larger one is not kept. One of AIGE's own has about 6 KB for each picture in it."""
MOST_WAITING = 32

_ROOT = Path(__file__).resolve().parents[3]
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "AIGE_RUN")


class Manifests:
    """The process that reads manifests: started when it is first needed, and again after each that it dies of.

    `trust` is a file of certificates in PEM. `command` is what is started.
    """

    def __init__(
        self, trust: Path | None = None, *, seconds: float = SECONDS, command: Sequence[str] | None = None
    ) -> None:
        own = [sys.executable, "-m", "deployments.media.provenance.child", *([str(trust)] if trust else [])]
        self._command = own if command is None else command
        self._seconds = seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="manifests")
        self._waiting = 0
        self._process: subprocess.Popen[bytes] | None = None

    async def report(self, data: bytes) -> Report:
        """What the manifest in a picture says; that of one that breaks, or takes too long, is `BROKEN`.

        Raises:
            Unavailable: too many others wait.
        """
        if not may_hold_manifest(data):
            return UNSIGNED
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many pictures are being verified; try again in a few seconds.", 5)
        answer = await self._answer(data)
        return BROKEN if answer is None else answer.report

    async def ingredient(self, data: bytes, title: str, role: Role) -> Ingredient:
        """The picture as an ingredient, with its manifest if it has one.

        A manifest that cannot be read, or not soon enough, is on record as broken.
        """
        media_type = sniff(data) or "application/octet-stream"
        if not may_hold_manifest(data):
            return Ingredient(title, media_type, role)
        try:
            async with asyncio.timeout(2 * self._seconds):  # others' may take long, and the step has to end
                answer = await self._answer(data, title, role)
        except TimeoutError:
            answer = None
        if answer is None:
            return Ingredient(title, media_type, role, fault=UNREADABLE)
        if not answer.report.signed:
            return Ingredient(title, media_type, role)
        generative = answer.report.generative
        if answer.archive is None or len(answer.archive) > MOST_ARCHIVE_BYTES:
            return Ingredient(title, media_type, role, generative=generative, fault=UNREADABLE)
        return Ingredient(title, media_type, role, answer.archive, generative)

    def close(self) -> None:
        """Ends the process."""
        self._thread.submit(self._end)
        self._thread.shutdown()

    async def _answer(self, data: bytes, title: str | None = None, role: Role = "inputTo") -> Answer | None:
        """None where the process died of it."""
        media_type = sniff(data) or ""
        question = Question(size=len(data), media_type=media_type, seconds=self._seconds, title=title, role=role)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._asked, question, data)
        finally:
            self._waiting -= 1

    def _asked(self, question: Question, data: bytes) -> Answer | None:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - for mypy
        started = time.monotonic()
        try:
            process.stdin.write(question.model_dump_json().encode() + b"\n")
            process.stdin.write(data)
            process.stdin.flush()
            return Answer.model_validate_json(process.stdout.readline())
        except (OSError, ValidationError):
            self._end()
            logger.warning("A manifest could not be read: %.1f s, %s", time.monotonic() - started, process.returncode)
            return None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            self._process = subprocess.Popen(  # noqa: S603 - nothing in it comes from a request
                self._command,
                env={**environment, "PYTHONPATH": str(_ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
