"""Asking what manifests say, whatever becomes of the process that reads them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deployments.errors import Unavailable
from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.manifests import MOST_ARCHIVE_BYTES, MOST_WAITING, Manifests
from deployments.media.provenance.report import BROKEN, UNSIGNED
from tests.media.provenance.files import credentials, picture, signed, with_broken_manifest, with_flipped_byte
from tests.media.provenance.fuzz import mangled

Opened = Callable[..., Manifests]


@pytest.fixture
async def manifests() -> AsyncIterator[Manifests]:
    opened = Manifests()
    yield opened
    opened.close()


def a_process(tmp_path: Path, body: str) -> list[str]:
    """A command that stands in for the child: `body` runs once for each question."""
    counted = tmp_path / "questions"
    script = f"""
import json, os, sys, time
counted = {str(counted)!r}
while line := sys.stdin.buffer.readline():
    sys.stdin.buffer.read(json.loads(line)["size"])
    with open(counted, "a") as file:
        file.write("x")
    number = os.path.getsize(counted)
    {body}
"""
    return [sys.executable, "-c", script]


GOOD = '{"report": {"signed": true, "valid": true}}'


async def test_a_picture_without_a_manifest_needs_no_process(tmp_path: Path) -> None:
    """It is looked through, and that is all."""
    manifests = Manifests(command=["/no/such/command"])
    assert await manifests.report(picture()) == UNSIGNED
    assert await manifests.ingredient(picture(form="JPEG"), "photo 1", "inputTo") == Ingredient(
        "photo 1", "image/jpeg", "inputTo"
    )
    assert await manifests.ingredient(b"", "photo 2", "inputTo") == Ingredient(
        "photo 2", "application/octet-stream", "inputTo"
    )


async def test_a_report_and_an_ingredient(manifests: Manifests) -> None:
    """From the real process."""
    assert (await manifests.report(signed())).valid
    person = await manifests.ingredient(signed(), "person", "componentOf")
    assert (person.title, person.media_type, person.role) == ("person", "image/png", "componentOf")
    assert person.generative
    assert person.fault is None
    assert person.archive
    assert len(person.archive) < 20_000


async def test_whom_the_operator_trusts_is_trusted(tmp_path: Path) -> None:
    """By the file that is named; a wrong hash undoes it."""
    root = x509.load_pem_x509_certificates(credentials().chain)[-1]
    (tmp_path / "trust.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    manifests = Manifests(tmp_path / "trust.pem")
    assert (await manifests.report(signed())).trusted
    assert not (await manifests.report(with_flipped_byte(signed()))).trusted
    manifests.close()


async def test_a_broken_manifest_is_on_record(manifests: Manifests) -> None:
    """As the ingredient's fault."""
    broken = with_broken_manifest(signed())
    assert await manifests.report(broken) == BROKEN
    assert await manifests.ingredient(broken, "person", "componentOf") == Ingredient(
        "person", "image/png", "componentOf", fault="general.error"
    )


async def test_what_only_looks_like_a_manifest_is_none(manifests: Manifests) -> None:
    """The chunk's name may stand among the pixels, too."""
    lookalike = picture() + b"caBX"
    assert await manifests.report(lookalike) == UNSIGNED
    assert await manifests.ingredient(lookalike, "photo 1", "inputTo") == Ingredient("photo 1", "image/png", "inputTo")


@pytest.mark.parametrize("death", ["os.abort()", "sys.exit(1)", "print('no answer', flush=True)", "os.close(1)"])
async def test_a_process_that_dies_is_replaced(tmp_path: Path, death: str) -> None:
    """The picture that it died of is broken; the next one is read."""
    answer = f"({death}) if number == 1 else print({GOOD!r}, flush=True)"
    manifests = Manifests(command=a_process(tmp_path, answer))
    assert await manifests.report(signed()) == BROKEN
    assert (await manifests.report(signed())).valid
    manifests.close()


async def test_a_process_that_died_meanwhile_is_replaced(tmp_path: Path) -> None:
    """It answers, and dies: the next picture cannot help it."""
    manifests = Manifests(command=a_process(tmp_path, f"print({GOOD!r}, flush=True); os.abort()"))
    for _ in range(3):
        assert (await manifests.report(signed())).valid
        process = manifests._process
        assert process is not None
        await asyncio.to_thread(process.wait)
    manifests.close()


async def test_a_manifest_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    """That is on record too, and it may still say that a model made the picture."""
    archive = "AAAA" * (MOST_ARCHIVE_BYTES // 3 + 1)
    body = 'print(\'{"report": {"signed": true, "generative": true}, "archive": "\' + "A" * %d + \'"}\', flush=True)'
    manifests = Manifests(command=a_process(tmp_path, body % len(archive)))
    assert await manifests.ingredient(signed(), "person", "componentOf") == Ingredient(
        "person", "image/png", "componentOf", generative=True, fault="general.error"
    )
    manifests.close()


async def test_a_step_does_not_wait_long_for_the_manifests_of_others(tmp_path: Path) -> None:
    """It has been paid for: rather is it on record that the manifest was not read. Those who gave up keep nobody."""
    asked = tmp_path / "questions"
    body = f"time.sleep(1); print({GOOD!r}, flush=True)"
    manifests = Manifests(seconds=0.1, command=a_process(tmp_path, body))
    waiting = [manifests.ingredient(signed(), "person", "componentOf") for _ in range(5)]
    for ingredient in await asyncio.gather(*waiting):
        assert ingredient == Ingredient("person", "image/png", "componentOf", fault="general.error")
    manifests.close()
    assert asked.stat().st_size == 1


async def test_only_so_many_wait(tmp_path: Path) -> None:
    """The next one is told to come back."""
    gate = tmp_path / "gate"
    body = f"""
    while not os.path.exists({str(gate)!r}):
        time.sleep(0.01)
    print({GOOD!r}, flush=True)"""
    manifests = Manifests(command=a_process(tmp_path, body.strip()))
    waiting = [asyncio.create_task(manifests.report(signed())) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many pictures are being verified"):
        await manifests.report(signed())
    gate.touch()
    assert all(report.valid for report in await asyncio.gather(*waiting))
    manifests.close()


async def test_a_picture_that_takes_too_long_is_broken() -> None:
    """The process is ended from within; another one reads the next."""
    manifests = Manifests(seconds=1e-6)
    assert await manifests.report(signed(data=picture((3000, 2000)))) == BROKEN
    manifests.close()


async def test_mangled_manifests_do_no_harm(manifests: Manifests) -> None:
    """A hundred of them: each is told something of, and the process still reads the next good one."""
    for name, data in mangled(count=100, seed=1):
        report = await manifests.report(data)
        assert report.signed or report == UNSIGNED, name
        ingredient = await manifests.ingredient(data, "person", "componentOf")
        assert not (ingredient.archive and ingredient.fault), name
    assert (await manifests.report(signed())).valid
