"""The door out: what is forbidden stays outside in every spelling, and what is let through cannot hurt."""

import asyncio
from urllib.parse import quote

import pytest

from deployments.errors import FetchFailed
from deployments.media.destinations import Found, NoAnswer, Refused, parse_allow_hosts
from deployments.media.egress import AT_ONCE, AT_ONCE_AT_A_HOST, Egress
from tests.faults import web
from tests.faults.web import PICTURE
from tests.media.internet import OWN_URL, PUBLIC, Internet, Store, opened, why

ENOUGH = 1_000_000


class TestRedirects:
    def to(self, internet: Internet, target: str) -> str:
        return internet.url(f"/redirects?to={quote(target, safe='')}")

    async def test_a_redirect_is_followed(self, egress: Egress, internet: Internet) -> None:
        """Relative and absolute ones, up to the limit of three."""
        url = "/picture"
        for _ in range(3):
            url = self.to(internet, url)
        assert await egress.fetch(url, ENOUGH) == PICTURE

    async def test_one_redirect_too_many_ends_it(self, egress: Egress, internet: Internet) -> None:
        """The fourth is not followed."""
        url = "/picture"
        for _ in range(4):
            url = self.to(internet, url)
        assert "redirects more than 3 times" in await why(egress, url)
        assert len(internet.web.asked) == 4

    async def test_a_loop_ends(self, egress: Egress, internet: Internet) -> None:
        """A URL that redirects to itself is one too many at some time."""
        assert "redirects more than 3 times" in await why(egress, internet.url("/redirects?to=?to=?"))

    @pytest.mark.parametrize(
        "target",
        [
            "http://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1:1/",
            "//127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127。0。0。1/",
            "http://[::1]/",
            "http://localhost/",
            "http://inside.example/",
            "http://user:secret@host.example/",
            "http://host.example:0/",
            "data:image/png;base64,AAAA",
            "DATA:,",
            "javascript:alert(1)",
            "about:blank",
            "mailto:someone@host.example",
            "https:///path",
            "http://host.example:99999/",
            "http://host.example:port/",
            "http://ex ample/",
            "http://" + "a" * 64 + ".example/",
            "file:///etc/passwd",
            "ftp://host.example/",
            "gopher://127.0.0.1:6379/_FLUSHALL",
            "http://[::1",
            "http://\\\\127.0.0.1/",
        ],
    )
    async def test_a_redirect_to_a_forbidden_place_is_refused(
        self, egress: Egress, internet: Internet, target: str
    ) -> None:
        """Each hop is judged like the first URL; the message names the first host only."""
        internet.names["inside.example"] = [["10.0.0.1"]]
        message = await why(egress, self.to(internet, target))
        assert message.startswith("The picture at host.example could not be loaded: ")
        assert not any(word in message for word in ("127.", "169.254", "10.0.0", "inside", "secret", "passwd"))
        assert internet.dialled == [PUBLIC]
        assert set(internet.looked_up) <= {"host.example", "inside.example"}

    async def test_the_body_of_a_redirect_is_not_read(self, egress: Egress, internet: Internet) -> None:
        """An endless one changes nothing."""
        assert await egress.fetch(internet.url("/redirects_with_endless_body?to=/picture"), ENOUGH) == PICTURE

    @pytest.mark.parametrize("target", ["data:image/png;base64,AAAA", "http://[::1", "file:///etc/passwd"])
    async def test_a_put_is_not_troubled_by_where_it_is_redirected_to(
        self, egress: Egress, internet: Internet, target: str
    ) -> None:
        """Nobody goes there."""
        internet.web.answers = [(302, f"Location: {target}")]
        assert (await egress.put(internet.url("/put"), PICTURE, {})).status == 302

    async def test_an_allowed_host_may_be_redirected_to(self, internet: Internet) -> None:
        """The allowance holds for each hop as well."""
        allow = parse_allow_hosts(f"127.0.0.1:{internet.web.port}")
        async with opened(Egress(allow=allow, resolver=internet.resolve)) as egress:
            target = internet.url("/picture", host="127.0.0.1")
            assert await egress.fetch(self.to(internet, target), ENOUGH) == PICTURE


NO_CODINGS = ["", "%20", "aws-chunked", "AWS-Chunked", "aws-chunked,", "base64", "utf-8", "UTF-8", "none", "binary"]
NO_CODINGS += ["identity", "null", "8bit", "gzip", "br", "aws-chunked,gzip"]


class TestAnswers:
    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            ("answers?status=404", "the server answered 404; check that the link is still valid"),
            ("answers?status=500", "the server answered 500"),
            ("answers?status=204", "the server answered 204"),
            ("answers?status=304", "the server answered 304"),
            ("hangs", "took too long"),
            ("hangs_midway", "took too long"),
            ("drips", "took too long"),
            ("endless", "larger than 1,000,000 bytes"),
            ("endless_headers", "not proper HTTP"),
            ("breaks_off", "broke off"),
            ("compressed", "compressed"),
            ("no_http", "not proper HTTP"),
        ],
    )
    async def test_a_bad_answer_is_named(self, impatient: Egress, internet: Internet, fault: str, words: str) -> None:
        """Every fault ends, as a sentence that names the host and the cause, and never the path or query."""
        separator = "&" if "?" in fault else "?"
        message = await why(impatient, internet.url(f"/{fault}{separator}X-Amz-Signature=secret"))
        assert message.startswith("The picture at host.example could not be loaded: ")
        assert message.endswith(".")
        assert words in message
        assert not any(word in message for word in ("secret", fault.partition("?")[0] + "?", PUBLIC, "127.0.0.1"))

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
    async def test_what_may_pass_is_asked_for_again(self, egress: Egress, internet: Internet, status: int) -> None:
        """A server's trouble, or its wish to be asked later."""

        async def says_so(writer: asyncio.StreamWriter, _: web.Asked) -> None:
            writer.write(f"HTTP/1.1 {status} Later\r\nContent-Length: 0\r\n\r\n".encode())

        internet.web.troubles = [says_so] * 7
        assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE
        assert len(internet.web.asked) == 8

    @pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410])
    async def test_what_is_decided_is_not_asked_for_again(
        self, egress: Egress, internet: Internet, status: int
    ) -> None:
        """It would be decided so again."""
        with pytest.raises(FetchFailed, match=str(status)):
            await egress.fetch(internet.url(f"/answers?status={status}"), 1000)
        assert len(internet.web.asked) == 1

    async def test_a_proxy_s_200_is_an_answer(self, egress: Egress, internet: Internet) -> None:
        """It says 203 where it has touched something (RFC 9110, 15.3.4)."""
        assert await egress.fetch(internet.url("/picture?status=203"), ENOUGH) == PICTURE

    @pytest.mark.parametrize("coding", NO_CODINGS)
    async def test_plain_bytes_are_used_whatever_they_are_called(
        self, egress: Egress, internet: Internet, coding: str
    ) -> None:
        """`Content-Encoding` is often what an uploading program left there; a picture is a picture."""
        assert await egress.fetch(internet.url(f"/picture?coding={coding}"), ENOUGH) == PICTURE

    @pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip", "aws-chunked,gzip", "identity,%20gzip", "zstd"])
    async def test_what_is_compressed_is_not_unpacked(self, egress: Egress, internet: Internet, coding: str) -> None:
        """A bomb cannot hide in what is not compressed."""
        assert "compressed" in await why(egress, internet.url(f"/compressed?coding={coding}"))

    async def test_bytes_beyond_the_promised_length_are_no_answer(
        self, impatient: Egress, egress: Egress, internet: Internet
    ) -> None:
        """What overflows Content-Length is dropped with the connection, not mistaken for the next answer."""
        assert "not proper HTTP" in await why(impatient, internet.url("/overflows"))
        assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE

    async def test_the_cap_is_exact(self, egress: Egress, internet: Internet) -> None:
        """As many bytes as allowed pass, and one more does not."""
        url = internet.url("/picture")
        assert await egress.fetch(url, len(PICTURE)) == PICTURE
        assert "larger than" in await why(egress, url, len(PICTURE) - 1)

    async def test_cookies_are_forgotten(self, egress: Egress, internet: Internet) -> None:
        """What a server sets for one caller is not sent back with the next one's request."""
        for _ in range(2):
            await egress.fetch(internet.url("/picture"), ENOUGH)
        assert ["cookie" in asked.headers for asked in internet.web.asked] == [False, False]

    async def test_the_request_says_nothing_of_us_but_our_name(self, egress: Egress, internet: Internet) -> None:
        """No compression is asked for, and no credential or address of ours is sent."""
        await egress.fetch(internet.url("/picture"), ENOUGH)
        headers = internet.web.asked[0].headers
        assert headers.keys() == {"host", "user-agent", "accept", "accept-encoding"}
        assert headers["accept-encoding"] == "identity"


class Crowd(Store):
    """Counts how many requests are under way, each of them for as long as others may still come."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = self.most = self.served = 0

    async def get(self, url: str) -> Found:
        await self._stay()
        return await super().get(url)

    async def put(self, url: str, body: bytes) -> int:
        await self._stay()
        return await super().put(url, body)

    async def _stay(self) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(100):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.served += 1


@pytest.mark.parametrize("verb", ["put", "fetch"])
async def test_many_at_once_wait_for_their_turn(verb: str) -> None:
    """No more are under way than one host has room for, and all of them get through."""
    store = Crowd()

    async def one(egress: Egress) -> object:
        return await (egress.put(OWN_URL, b"x", {}) if verb == "put" else egress.fetch(OWN_URL, ENOUGH))

    async with opened(Egress(store=store)) as egress:
        await asyncio.gather(*(one(egress) for _ in range(2 * AT_ONCE)))
    assert (store.most, store.served) == (AT_ONCE_AT_A_HOST, 2 * AT_ONCE)


async def test_a_host_that_hangs_keeps_no_other_waiting(egress: Egress, internet: Internet) -> None:
    """However many pictures are for it."""
    internet.names["hangs.example"] = internet.names["host.example"]
    url = internet.url("/hangs", host="hangs.example")
    hanging = [asyncio.create_task(egress.put(url, PICTURE, {})) for _ in range(2 * AT_ONCE)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert (await egress.put(internet.url("/put"), PICTURE, {})).status == 200
        assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE
    for one in hanging:
        one.cancel()
    await asyncio.wait(hanging)


class TestPut:
    async def test_the_body_arrives_with_its_length(self, egress: Egress, internet: Internet) -> None:
        """One PUT with Content-Length, since S3 refuses chunked encoding."""
        response = await egress.put(internet.url("/put"), PICTURE, {"Content-Type": "image/png"})
        assert response.status == 200
        (asked,) = internet.web.asked
        assert (asked.method, asked.body) == ("PUT", PICTURE)
        assert asked.headers["content-length"] == str(len(PICTURE))
        assert "transfer-encoding" not in asked.headers

    async def test_the_connection_serves_again(self, egress: Egress, internet: Internet) -> None:
        """An empty answer leaves it open for the next upload."""
        for _ in range(3):
            await egress.put(internet.url("/put"), PICTURE, {})
        assert internet.dialled == [PUBLIC]

    async def test_the_url_is_sent_as_written(self, egress: Egress, internet: Internet) -> None:
        """Its signature stays good; only what no URL may hold is percent-encoded."""
        await egress.put(internet.url('/a%7Eb%2Fc~+/é"|'), PICTURE, {})
        assert internet.web.asked[0].path == "/a%7Eb%2Fc~+/%C3%A9%22%7C"

    async def test_a_lost_answer_is_told(self, egress: Egress, internet: Internet) -> None:
        """The PUT is not repeated in silence: a store that takes only one would seem to refuse the first."""
        internet.web.per_connection = 1
        await egress.put(internet.url("/put"), PICTURE, {})
        with pytest.raises(NoAnswer):
            await egress.put(internet.url("/put"), PICTURE, {})
        assert len(internet.web.asked) == 2

    async def test_a_redirect_is_not_followed(self, egress: Egress, internet: Internet) -> None:
        """It is the answer."""
        internet.web.answers.append((307, "Location: /elsewhere"))
        assert (await egress.put(internet.url("/put"), PICTURE, {})).status == 307
        assert len(internet.web.asked) == 1

    async def test_an_endless_answer_is_not_read(self, egress: Egress, internet: Internet) -> None:
        """Only its status counts."""
        assert (await egress.put(internet.url("/endless"), PICTURE, {})).status == 200

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "inside.example", "user@host.example"])
    async def test_forbidden_places_are_refused(self, egress: Egress, internet: Internet, host: str) -> None:
        """As for a fetch, and before anything is sent."""
        internet.names["inside.example"] = [["127.0.0.1"]]
        with pytest.raises(Refused):
            await egress.put(internet.url("/put", host=host), PICTURE, {})
        assert internet.web.asked == []
