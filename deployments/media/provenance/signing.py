"""Signs results. This is CPU work, which may take seconds: see `is_quickly_signed`."""

import io
import json
import logging
from collections.abc import Callable, Iterable

from deployments.errors import AigeError
from deployments.media.provenance.certificate import RENEWED_BEFORE_END, Clock, Credentials, utc_now
from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.statement import Statement, c2pa_settings, manifest_of

logger = logging.getLogger(__name__)

TRIES = 3
QUICKLY_SIGNED_BYTES = 2**17


class NotSigned(AigeError):
    """A picture could not be signed."""


class Signer:
    """Puts a signed manifest into pictures. `credentials` is asked again as the end of those that it gave comes near.

    Raises:
        NotSigned: the credentials are of no use.
    """

    def __init__(self, credentials: Callable[[], Credentials], clock: Clock = utc_now) -> None:
        self._credentials = credentials
        self._clock = clock
        self._ready: tuple[Credentials, object] | None = None
        self._context()

    def signed(self, data: bytes, statement: Statement) -> bytes:
        """The PNG `data` with its manifest. The pixels stay the same.

        A manifest of an ingredient that spoils the signature is left out in the end, and that is on record.

        Raises:
            NotSigned: it failed several times over.
        """
        for number in range(1, TRIES + 1):
            try:
                return self._signed(data, statement if number < TRIES else statement.without_archives())
            except Exception as error:
                logger.warning("A picture could not be signed (try %d of %d): %s", number, TRIES, error)
                if number == TRIES:
                    raise NotSigned(str(error)) from error
        raise AssertionError("the last try returns or raises")

    def _signed(self, data: bytes, statement: Statement) -> bytes:
        from c2pa import Builder

        builder, signed = Builder(json.dumps(manifest_of(statement)), context=self._context()), io.BytesIO()
        archives = [ingredient.archive for ingredient in statement.ingredients if ingredient.archive]
        for archive in archives:
            builder.add_ingredient_from_archive(io.BytesIO(archive))
        builder.sign("image/png", io.BytesIO(data), signed)
        if archives and not self._is_valid(signed):
            raise NotSigned("an ingredient's manifest spoils it")
        return signed.getvalue()

    def _is_valid(self, signed: io.BytesIO) -> bool:
        from c2pa import Reader

        signed.seek(0)
        with Reader("image/png", signed, context=self._context()) as reader:
            return reader.get_validation_state() in {"Valid", "Trusted"}

    def _context(self) -> object:
        """What c2pa-python signs and reads with."""
        if self._ready is None or self._clock() >= self._ready[0].ends - RENEWED_BEFORE_END:
            credentials = self._credentials()
            if self._ready is None or self._ready[0] != credentials:
                self._ready = (credentials, _context_of(credentials))
        return self._ready[1]


def is_quickly_signed(data: bytes, ingredients: Iterable[Ingredient]) -> bool:
    """Whether it takes so little time that an event loop may do it: 1.5 ms without manifests to keep, 0.1 s at most.

    In a thread it would take longer: c2pa-python reads and writes in pieces, and before each the thread waits for the
    event loop. Sign all others in a thread.
    """
    kept = sum(len(ingredient.archive or b"") for ingredient in ingredients)
    return len(data) + kept <= QUICKLY_SIGNED_BYTES


def _context_of(credentials: Credentials) -> object:
    from c2pa import C2paError, C2paSignerInfo, Context
    from c2pa import Signer as NativeSigner

    algorithm = credentials.algorithm.encode()
    try:
        signer = NativeSigner.from_info(C2paSignerInfo(algorithm, credentials.chain, credentials.key, None))
        return Context.from_dict(dict(c2pa_settings()), signer=signer)
    except C2paError as error:
        raise NotSigned(str(error)) from error
