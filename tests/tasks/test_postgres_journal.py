"""What the journal in PostgreSQL alone promises; what all journals do, `test_journal` and its neighbours show."""

import asyncio

import pytest

from deployments.tasks.journal import JournalAway
from deployments.tasks.postgres_journal import PostgresJournal
from tests.tasks.entries import entry, work
from tests.tasks.journals import TIMEOUT_S
from tests.tasks.servers import Network

pytestmark = [pytest.mark.parametrize("place", ["postgres"]), pytest.mark.exhaustive]


async def test_a_read_that_takes_long_holds_up_no_lease(network: Network) -> None:
    """As those of many large works do after a restart."""
    journal = PostgresJournal(network.url, "app", TIMEOUT_S)
    await journal.take("cluster", 60)
    await journal.write(entry("a"), work("a"))
    network.befall("held", b"SELECT work")
    reading = asyncio.create_task(journal.read_work("a"))
    await asyncio.sleep(0)
    await journal.renew()
    assert not reading.done()
    with pytest.raises(JournalAway):
        await reading
    await journal.close()
