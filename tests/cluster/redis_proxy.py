"""In front of a Redis server: a network that misbehaves as stdin tells it to, one word a line.

    python -m tests.cluster.redis_proxy PORT REDIS_PORT

pass    all goes through (at first, too)
lose    commands go through, and their replies are lost
hold    commands are held back; they go through at the next `pass`, though their senders have gone away meanwhile

Each word is answered with itself on stdout, once it holds.
"""

import asyncio
import sys
from contextlib import suppress


class Proxy:
    """Lives on one event loop."""

    def __init__(self, redis_port: int) -> None:
        self._redis_port = redis_port
        self._mode = "pass"
        self._passing = asyncio.Event()
        self._passing.set()

    def set(self, mode: str) -> None:
        self._mode = mode
        if mode == "hold":
            self._passing.clear()
        else:
            self._passing.set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection both ways until the server closes it, or all that the client has sent is delivered."""
        redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", self._redis_port)
        answering = asyncio.create_task(self._answers(redis_reader, writer))
        with suppress(OSError):
            while data := await reader.read(2**16):
                await self._passing.wait()
                redis_writer.write(data)
                await redis_writer.drain()
        redis_writer.write_eof()  # Redis executes what it has heard before it closes
        await answering
        redis_writer.close()

    async def _answers(self, redis_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await redis_reader.read(2**16):
                if self._mode != "lose":
                    writer.write(data)
                    await writer.drain()
        writer.close()


async def main(port: int, redis_port: int) -> None:
    """Serves until stdin ends."""
    proxy = Proxy(redis_port)
    async with await asyncio.start_server(proxy.connected, "0.0.0.0", port):
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            proxy.set(word)
            print(word, flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
