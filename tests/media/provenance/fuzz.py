"""Pictures whose manifests are broken, foreign or huge: none may do harm.

`python -m tests.media.provenance.fuzz SECONDS` runs longer. It prints what came of the files.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.manifests import Manifests
from deployments.media.provenance.report import Report
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from tests.media.containers.fuzz import spoilt
from tests.media.provenance.files import foreign, picture, read, signed

_CREATED = {"action": "c2pa.created", "digitalSourceType": DigitalSource.TRAINED.uri}
_PLAIN = {form: picture(form=form) for form in ("PNG", "JPEG", "WEBP")}


def _good() -> dict[str, bytes]:
    """Files with sound manifests, in each format."""
    own = {"own": signed()}
    return own | {form: foreign(data, f"image/{form.lower()}", _CREATED) for form, data in _PLAIN.items()}


def _huge(chance: random.Random) -> bytes:
    """A PNG with a manifest of a few megabytes, of which the first bytes are sound."""
    data = signed()
    at = data.index(b"caBX") - 4
    size = int.from_bytes(data[at : at + 4])
    box = data[at + 8 : at + 8 + size] + chance.randbytes(2**21)
    return data[:at] + len(box).to_bytes(4) + b"caBX" + box + bytes(4) + data[at + 12 + size :]


def mangled(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many files, each with its name for messages."""
    good, chance = _good(), random.Random(seed)
    for number in range(count):
        if number % 50 == 0:
            yield f"huge {number}", _huge(chance)
            continue
        name = chance.choice(list(good))
        data = good[name]
        start = max(data.find(telltale) for telltale in (b"caBX", b"jumb", b"C2PA")) - 8
        end = min(len(data), start + 6000)
        yield f"{name} {number}", data[:start] + spoilt(data[start:end], chance) + data[end:]


def outcome(report: Report, ingredient: Ingredient) -> str:
    """A result is made of it, too: that has to be valid."""
    result = signed(Statement("overlay", DigitalSource.COMPOSITE, (), (ingredient,)))
    if read(result)["validation_state"] != "Valid":
        return "SPOILS A RESULT"
    kept = "kept" if ingredient.archive else "on record" if ingredient.fault else "none"
    return f"{'signed' if report.signed else 'unsigned'}, {'valid' if report.valid else 'not valid'}, {kept}"


async def main(seconds: float) -> None:
    """Runs so long, and prints how many files came to what, and how long the slowest took."""
    manifests, outcomes, slowest = Manifests(), Counter[str](), 0.0
    until, seed = time.monotonic() + seconds, random.randrange(2**32)
    while time.monotonic() < until:
        seed += 1
        for _name, data in mangled(count=50, seed=seed):
            started = time.monotonic()
            report = await manifests.report(data)
            ingredient = await manifests.ingredient(data, "person", "componentOf")
            slowest = max(slowest, time.monotonic() - started)
            outcomes[outcome(report, ingredient)] += 1
    manifests.close()
    for what, how_many in outcomes.most_common():
        print(f"{how_many:7,} {what}")
    print(f"The slowest took {slowest:.1f} s; the last seed was {seed}.")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
