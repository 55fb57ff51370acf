"""The way to a server: names are judged by the address that is dialled, certificates by the name."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from deployments.media.destinations import Refused, check_url, parse_allow_hosts
from deployments.media.egress import Egress, EgressLimits
from tests.faults.certificate import certificate_for
from tests.faults.web import PICTURE, serving
from tests.media.internet import OWN_URL, PUBLIC, Answers, Internet, Store, opened, why

ENOUGH = 1_000_000


class TestNames:
    async def test_a_public_name_is_resolved_once_and_its_address_dialled(
        self, egress: Egress, internet: Internet
    ) -> None:
        """One lookup; the connection goes to what was looked up, while `Host` keeps the name."""
        assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE
        assert (internet.looked_up, internet.dialled) == (["host.example"], [PUBLIC])
        assert internet.web.asked[0].headers["host"] == f"host.example:{internet.web.port}"

    @pytest.mark.parametrize(
        "answer",
        [
            ["127.0.0.1"],
            ["10.1.2.3"],
            ["169.254.169.254"],
            ["168.63.129.16"],
            ["192.0.0.9"],
            ["::1"],
            ["fe80::1%1"],
            ["::ffff:127.0.0.1"],
            ["64:ff9b::a9fe:a9fe"],
            ["fd00:ec2::254"],
            [PUBLIC, "127.0.0.1"],
            ["127.0.0.1", PUBLIC],
            ["::1", PUBLIC],
        ],
    )
    async def test_a_name_that_leads_inside_is_not_dialled(
        self, egress: Egress, internet: Internet, answer: list[str]
    ) -> None:
        """One private answer among public ones is enough, and the message does not tell what it was."""
        internet.names["inside.example"] = [answer]
        message = await why(egress, internet.url("/picture", host="inside.example"))
        assert "inside.example" in message
        assert "public" in message
        assert not any(address in message for address in answer)
        assert internet.dialled == []

    async def test_a_name_that_changes_its_answer_is_judged_by_the_answer_that_is_dialled(
        self, egress: Egress, internet: Internet
    ) -> None:
        """Rebinding: public for the check and private for the connection cannot happen, for there is one lookup."""
        internet.names["rebinds.example"] = [[PUBLIC], ["127.0.0.1"]]
        internet.web.per_connection = 1
        url = internet.url("/answers?status=404", host="rebinds.example")
        assert "404" in await why(egress, url)
        assert "public" in await why(egress, url)
        assert internet.dialled == [PUBLIC]

    async def test_a_forbidden_literal_is_neither_looked_up_nor_dialled(
        self, egress: Egress, internet: Internet
    ) -> None:
        """It fails as written."""
        assert "public" in await why(egress, "http://169.254.169.254/latest/meta-data/")
        assert (internet.looked_up, internet.dialled) == ([], [])

    async def test_an_unknown_name_is_called_unknown(self, egress: Egress, internet: Internet) -> None:
        """The caller reads that it is the name."""
        assert "name was not found" in await why(egress, internet.url("/", host="nosuch.example"))

    async def test_a_lookup_that_never_ends_is_given_up(self, internet: Internet) -> None:
        """The system's resolver knows no time limit; this one does."""
        released = threading.Event()

        def stuck(*_: object) -> Answers:
            released.wait()
            return []

        async with opened(Egress(limits=EgressLimits(total=0.05), resolver=stuck)) as egress:
            assert "took too long" in await why(egress, internet.url("/picture"))
            released.set()

    async def test_refusals_leave_the_pool_free(self, egress: Egress, internet: Internet) -> None:
        """However many forbidden names are tried, the next good one finds a connection."""
        internet.names["inside.example"] = [["127.0.0.1"]]
        for _ in range(120):
            await why(egress, internet.url("/picture", host="inside.example"))
        assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE


class TestEnvironment:
    async def test_proxies_of_the_environment_are_not_used(
        self, internet: Internet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy would resolve names itself, behind the guard's back."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        async with opened(Egress(resolver=internet.resolve)) as egress:
            assert await egress.fetch(internet.url("/picture"), ENOUGH) == PICTURE

    async def test_tls_verifies_the_name_by_the_environments_authority(
        self, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`SSL_CERT_FILE` is obeyed; the certificate must fit the name, although an address was dialled."""
        authority, context = certificate_for("host.example", tmp_path)
        internet.names["other.example"] = [[PUBLIC]]
        async with serving(context) as web:
            async with opened(Egress(resolver=internet.resolve)) as egress:
                assert "certificate" in await why(egress, f"https://host.example:{web.port}/picture")
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
            async with opened(Egress(resolver=internet.resolve)) as egress:
                assert await egress.fetch(f"https://host.example:{web.port}/picture", ENOUGH) == PICTURE
                assert "certificate" in await why(egress, f"https://other.example:{web.port}/picture")
        assert web.names == ["host.example", "host.example", "other.example"]

    async def test_a_redirect_out_of_tls_is_refused(
        self, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What began protected is not continued in the open."""
        authority, context = certificate_for("host.example", tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        async with serving(context) as web, opened(Egress(resolver=internet.resolve)) as egress:
            target = quote(internet.url("/picture"), safe="")
            message = await why(egress, f"https://host.example:{web.port}/redirects?to={target}")
        assert "from https to unprotected http" in message
        assert internet.web.asked == []


class TestAllowedHosts:
    @pytest.fixture
    async def egress(self, internet: Internet) -> AsyncIterator[Egress]:
        allow = parse_allow_hosts(f"127.0.0.1:{internet.web.port}")
        async with opened(Egress(allow=allow, resolver=internet.resolve)) as egress:
            yield egress

    async def test_an_allowed_host_is_opened_without_the_guard(self, egress: Egress, internet: Internet) -> None:
        """Read and written, although it is loopback."""
        url = internet.url("/picture", host="127.0.0.1")
        assert await egress.fetch(url, ENOUGH) == PICTURE
        assert (await egress.put(internet.url("/put", host="127.0.0.1"), PICTURE, {})).status == 200

    @pytest.mark.parametrize("host", ["127。0。0。1", "localhost", "inside.example"])
    async def test_other_names_for_its_address_stay_outside(
        self, egress: Egress, internet: Internet, host: str
    ) -> None:
        """Neither what a parser would fold into the allowed spelling nor what resolves to the same address."""
        internet.names["inside.example"] = [["127.0.0.1"]]
        url = internet.url("/picture", host=host)
        await why(egress, url)
        with pytest.raises(Refused):
            await egress.put(url, PICTURE, {})
        assert internet.dialled == []


class TestOwnStore:
    @pytest.fixture
    async def egress(self, internet: Internet) -> AsyncIterator[Egress]:
        async with opened(Egress(store=Store(), resolver=internet.resolve)) as egress:
            yield egress

    async def test_its_urls_never_reach_the_network(self, egress: Egress, internet: Internet) -> None:
        """Read and written through the transport, although their address is loopback."""
        check_url(OWN_URL, store=Store())
        assert await egress.fetch(OWN_URL, ENOUGH) == PICTURE
        assert (await egress.put(OWN_URL, b"x", {})).status == 200
        assert internet.dialled == []

    async def test_it_opens_nothing_else(self, egress: Egress) -> None:
        """Another port of the same host is as forbidden as ever."""
        assert "public" in await why(egress, "http://127.0.0.1:8001/")


async def test_many_fetches_share_the_door(egress: Egress, internet: Internet) -> None:
    """More at once than there are connections: each gets its turn."""
    pictures = await asyncio.gather(*(egress.fetch(internet.url("/picture"), ENOUGH) for _ in range(150)))
    assert pictures == [PICTURE] * 150
