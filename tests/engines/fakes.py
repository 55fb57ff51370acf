"""Engines that end as a test wants."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from deployments.engines.base import Made, PaidCall
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio


class Fake:
    """An engine that ends as its test wants; `charged` counts what it would have to be paid for."""

    name: ClassVar[str]
    generative: ClassVar[bool] = True
    blends = True

    def __init__(self, behave: "Behaviour") -> None:
        self.behave = behave
        self.asked = self.submits = self.charged = 0

    async def background(self, _prompt: str, _ratio: AspectRatio, call: PaidCall, /) -> Made:
        self.asked += 1
        return await self.behave(self, call)

    async def portrait(self, prompt: str, _photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall, /) -> Made:
        return await self.background(prompt, ratio, call)

    async def cut_out(self, _picture: Picture, call: PaidCall, /) -> Made:
        return await self.background("", AspectRatio.SQUARE, call)

    async def blend(self, prompt: str, _composite: Picture, call: PaidCall, /) -> Made:
        return await self.background(prompt, AspectRatio.SQUARE, call)

    async def sends(self, call: PaidCall, *, charges: bool = True) -> str:
        """Submits, and is taken."""

        async def send() -> str:
            self.submits += 1
            self.charged += charges
            return f"request of {self.name}"

        return await call.submit(send)


Behaviour = Callable[[Fake, PaidCall], Awaitable[Made]]


def fake(name: str, behave: Behaviour) -> Fake:
    """One that is called so: an engine's name is its class's."""
    named: type[Fake] = type(name, (Fake,), {"name": name})
    return named(behave)
