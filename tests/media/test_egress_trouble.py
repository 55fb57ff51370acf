"""What servers and networks do wrong: all of it passes, or ends as a sentence; nothing is unforeseen."""

import asyncio
import contextlib
import random
import socket
from pathlib import Path

import pytest
import stamina

from deployments.errors import FetchFailed
from deployments.media.destinations import NoAnswer, Refused
from deployments.media.egress import Egress, EgressLimits
from tests.faults import web
from tests.faults.certificate import certificate_for
from tests.faults.tls import broken_tls
from tests.faults.web import PICTURE, serving
from tests.media.internet import PUBLIC, Answers, Internet, opened, why
from tests.network import let_pass

ENOUGH = 1_000_000
TROUBLES = [web.closes, web.resets, web.breaks_off, web.breaks_a_chunk, web.muddles_chunks, web.no_http]


class TestTrouble:
    """Everything that may pass is waited for, or tried again, as long as `total` lasts."""

    @pytest.mark.parametrize("trouble", TROUBLES)
    async def test_a_connection_that_fails(self, egress: Egress, internet: Internet, trouble: web.Fault) -> None:
        """Before the answer, or in the middle of it."""
        internet.web.troubles = [trouble] * 20
        assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE
        assert len(internet.web.asked) == 21

    async def test_a_kept_alive_connection_that_is_closed_as_it_is_used(
        self, egress: Egress, internet: Internet
    ) -> None:
        """HTTP lets a client repeat a GET then, and each server has its own idea of when that is."""
        internet.web.per_connection = 1
        for _ in range(3):
            assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE
        assert (len(internet.web.asked), len(internet.dialled)) == (5, 3)

    async def test_a_server_that_is_not_there_yet(self, egress: Egress, internet: Internet) -> None:
        """It is dialled again; if it does not come, the caller reads that."""
        async with serving() as closed:
            pass
        message = await why(egress, f"http://host.example:{closed.port}/")
        assert "no connection could be made" in message
        assert len(internet.dialled) > 20

    async def test_a_name_server_that_is_busy(self, internet: Internet) -> None:
        """`EAI_AGAIN` is asked again; that there is no such name is believed."""
        answers = iter([socket.EAI_AGAIN] * 5)

        def busy(host: str, port: int, *question: int) -> Answers:
            if code := next(answers, 0):
                raise socket.gaierror(code, "busy")
            return internet.resolve(host, port, *question)

        async with opened(Egress(resolver=busy)) as egress:
            assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE
            await why(egress, internet.url("/picture", host="nosuch.example"))
        assert internet.looked_up == ["host.example", "nosuch.example"]

    async def test_nothing_but_the_whole_fetch_has_a_time_limit(
        self, internet: Internet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A thumbnail made on demand, or cold storage, takes its time to the first byte: here an hour."""
        asked, made = asyncio.Event(), asyncio.Event()

        async def slow(writer: asyncio.StreamWriter, request: web.Asked) -> None:
            asked.set()
            await made.wait()
            await web.picture(writer, request)

        internet.web.troubles = [slow]
        async with opened(Egress(limits=EgressLimits(total=7_200), resolver=internet.resolve)) as egress:
            fetched = asyncio.create_task(egress.fetch(internet.url("/picture"), ENOUGH))
            await asked.wait()
            let_pass(monkeypatch, 3_600)
            for _ in range(10):
                await asyncio.sleep(0.01)
            made.set()
            assert await fetched == PICTURE
        assert len(internet.web.asked) == 1

    async def test_an_address_that_does_not_answer(self, internet: Internet) -> None:
        """The next one is tried soon, while the first still may answer; with all of them, as long as there is time."""
        internet.names["host.example"] = [[PUBLIC, "93.184.215.15"]]
        async with opened(Egress(limits=EgressLimits(total=5), resolver=internet.resolve)) as egress:
            internet.stuck = 1
            assert await egress.fetch(internet.url("/picture?status=200"), ENOUGH) == PICTURE
            assert internet.dialled == [PUBLIC, "93.184.215.15"]
        async with opened(Egress(limits=EgressLimits(total=1), resolver=internet.resolve)) as egress:
            internet.dialled.clear()
            internet.stuck = 2
            assert "took too long" in await why(egress, internet.url("/picture"))
            assert internet.dialled == [PUBLIC, "93.184.215.15"]

    async def test_a_name_with_very_many_addresses(self, internet: Internet) -> None:
        """Four of them are tried: whoever owns the name decides how many there are."""
        internet.names["host.example"] = [[f"93.184.215.{number}" for number in range(200)]]
        internet.stuck = 200
        async with opened(Egress(limits=EgressLimits(total=2), resolver=internet.resolve)) as egress:
            await why(egress, internet.url("/picture"))
        assert len(internet.dialled) == 4

    async def test_a_name_with_many_addresses_of_either_family(self, internet: Internet) -> None:
        """Where one family does not get through, the other is tried."""
        of_one = [f"2606:2800:220:1::{number}" for number in range(10)]
        for addresses in ([*of_one, PUBLIC], [PUBLIC, *of_one]):
            internet.names["host.example"] = [addresses]
            internet.dialled.clear()
            internet.stuck = 4
            async with opened(Egress(limits=EgressLimits(total=2), resolver=internet.resolve)) as egress:
                await why(egress, internet.url("/picture"))
            assert len(internet.dialled) == 4
            assert PUBLIC in internet.dialled[:2]

    async def test_what_went_wrong_is_told_rather_than_that_time_ran_out(
        self, impatient: Egress, internet: Internet
    ) -> None:
        """The last try is one that hangs."""
        internet.web.troubles = [web.closes] * 2  # aiohttp itself asks once more
        assert "broke off" in await why(impatient, internet.url("/hangs"))


SAID = [
    b"",
    b"\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 999 Odd\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno header at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: =;;;\xff\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: \xff\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[v1.x]/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: //@:0:0\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: data:image/png;base64,AAAA\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://\xc3\xa9\xe2\x84\xa1.example/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://\0/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http:\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://xn--/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://" + b"a" * 9000 + b"/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation:\r\nContent-Length: 0\r\n\r\n",
]


def mangled(seed: int) -> bytes:
    """One of these answers with some of its bytes changed, left out, or put in twice."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    said = bytearray(chance.choice(SAID))
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(said) + 1)
        said[place : place + chance.randint(0, 3)] = chance.choice(
            [b"", b"\0", b":", b"\r\n", b"%", b"[", b"\xe9", b"9"]
        )
    return bytes(said)


class TestNothingIsUnforeseen:
    """Whatever a server says, it is a picture, or the fetch has failed; a PUT is answered, or it is not."""

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("number", range(len(SAID) + 300))
    async def test_bad_http(self, impatient: Egress, internet: Internet, number: int) -> None:
        """Asked once each: stamina's test mode ends it there."""
        said = SAID[number] if number < len(SAID) else mangled(number)
        url = internet.url(f"/says?hex={said.hex()}")
        with stamina.set_testing(True, attempts=1):
            with contextlib.suppress(FetchFailed):
                await impatient.fetch(url, ENOUGH)
            with contextlib.suppress(Refused, NoAnswer):
                await impatient.put(url, PICTURE, {})

    async def test_bad_tls(self, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """TLS that breaks after the handshake."""
        authority, context = certificate_for("host.example", tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        with broken_tls(context) as port, stamina.set_testing(True, attempts=1):
            async with opened(Egress(resolver=internet.resolve)) as egress:
                assert "broke off" in await why(egress, f"https://host.example:{port}/picture")
                with pytest.raises(NoAnswer):
                    await egress.put(f"https://host.example:{port}/put", PICTURE, {})
