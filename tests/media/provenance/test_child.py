"""The process that reads manifests of strangers, as its parent talks to it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deployments.media.provenance.child import Answer, Question
from deployments.media.provenance.report import UNSIGNED
from deployments.media.provenance.sources import DigitalSource
from tests.media.provenance.files import (
    credentials,
    foreign,
    picture,
    read,
    signed,
    with_broken_manifest,
    with_flipped_byte,
)

CREATED = {"action": "c2pa.created", "digitalSourceType": DigitalSource.COMPOSITE.uri}


def asked(*questions: tuple[bytes, Question], trust: Path | None = None) -> list[Answer]:
    """What it answers to all of them, until it dies or has heard the last."""
    sent = b"".join(
        question.model_copy(update={"size": len(data)}).model_dump_json().encode() + b"\n" + data
        for data, question in questions
    )
    command = [sys.executable, "-m", "deployments.media.provenance.child", *([str(trust)] if trust else [])]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=120, check=False)
    return [Answer.model_validate_json(line) for line in done.stdout.splitlines()]


def question(media_type: str = "image/png", **fields: object) -> Question:
    return Question.model_validate({"size": 0, "media_type": media_type, "seconds": 60, **fields})


def test_it_answers_one_question_after_the_other() -> None:
    """Whatever came before."""
    broken, plain, sound = asked(
        (with_broken_manifest(signed()), question()), (picture(), question()), (signed(), question())
    )
    assert (broken.report.signed, broken.report.valid, broken.report.problems) == (True, False, ("general.error",))
    assert plain.report == UNSIGNED
    assert (sound.report.signed, sound.report.valid, sound.report.problems) == (True, True, ())
    assert sound.archive is None


def test_an_ingredient_is_packed_only_where_it_has_a_manifest_that_can_be_read() -> None:
    """A wrong hash is no reason not to keep it."""
    packing = question(title="person", role="componentOf")
    answers = asked(
        *(
            (data, packing)
            for data in (signed(), with_flipped_byte(signed()), picture(), with_broken_manifest(signed()))
        )
    )
    assert [answer.archive is not None for answer in answers] == [True, True, False, False]
    assert [answer.report.generative for answer in answers] == [True, True, False, False]


def test_a_picture_that_takes_too_long_ends_the_process() -> None:
    """The kernel sees to it: nothing of ours needs to run. A million microseconds are too few for none of our tests."""
    assert asked((signed(data=picture((3000, 2000))), question(seconds=1e-6)), (picture(), question())) == []


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server, and the paths that it was asked for."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/manifest.c2pa", heard
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("form", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_manifest_that_lies_elsewhere_is_never_fetched(form: str, media_type: str) -> None:
    """Such a picture has none, to AIGE."""
    with listening() as (url, heard):
        remote = foreign(picture(form=form), media_type, CREATED, url=url)
        assert url.encode() in remote
        whole, packed = asked((remote, question(media_type)), (remote, question(media_type, title="person")))
        assert whole.report == packed.report == UNSIGNED
        assert packed.archive is None
        assert heard == []


def test_the_server_would_have_heard_it() -> None:
    """By c2pa-python's defaults, the same file is asked about: so the test above tests something."""
    from c2pa import C2paError, Reader

    with listening() as (url, heard):
        remote = foreign(picture(), "image/png", CREATED, url=url)
        import io

        with pytest.raises(C2paError, match="fetch"):
            Reader("image/png", io.BytesIO(remote))
        assert heard == ["/manifest.c2pa"]


def test_who_is_on_the_trust_list_is_trusted(tmp_path: Path) -> None:
    """Nobody else, and nobody at all without a list."""
    root = x509.load_pem_x509_certificates(credentials().chain)[-1]
    (tmp_path / "trust.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    changed = (with_flipped_byte(signed()), question())
    trusted, spoilt = asked((signed(), question()), changed, trust=tmp_path / "trust.pem")
    (alone,) = asked((signed(), question()))
    assert (trusted.report.trusted, trusted.report.valid) == (True, True)
    assert (spoilt.report.trusted, spoilt.report.valid) == (False, False)
    assert (alone.report.trusted, alone.report.valid) == (False, True)


def test_it_reads_what_others_read() -> None:
    """Its own settings change nothing in what is said of a sound picture."""
    (answer,) = asked((signed(), question()))
    assert answer.report.valid == (read(signed())["validation_state"] == "Valid")
