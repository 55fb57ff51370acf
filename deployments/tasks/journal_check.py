"""Whether the journal works, for those who ask often: probes of load balancers and orchestrators."""

import asyncio
import logging
import time
from collections.abc import Callable

from deployments.errors import Unavailable
from deployments.tasks.journal import Journal, JournalBroken

logger = logging.getLogger(__name__)

LATELY_SECONDS = 5
"""A write of so long ago still counts: however many ask, the journal is written to this often at most."""
CHECK_SECONDS = 2
"""How long that write may take."""
RETRY_AFTER_SECONDS = 5


class JournalCheck:
    """Lives on one event loop. `monotonic` counts the seconds."""

    def __init__(
        self, journal: Journal, *, check_s: float = CHECK_SECONDS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal = journal
        self._check_s = check_s
        self._monotonic = monotonic
        self._passed_at: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def passed(self) -> None:
        """Returns if the journal took a write lately, or takes one now.

        Raises:
            Unavailable: it did not; says so without the cause, which is in the log.
        """
        async with self._one_at_a_time:
            if self._passed_at is not None and self._monotonic() - self._passed_at < LATELY_SECONDS:
                return
            try:
                async with asyncio.timeout(self._check_s):
                    await self._journal.touch()
            except (JournalBroken, TimeoutError) as error:
                logger.warning("The journal failed a check: %s", error or "it took too long")
                missing = "The service cannot record tasks at the moment: its journal takes no writes."
                raise Unavailable(missing, RETRY_AFTER_SECONDS) from None
            self._passed_at = self._monotonic()
