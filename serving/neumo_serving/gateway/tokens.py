"""The bearer tokens that are accepted; a file of them is read again when it has changed."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from neumo.errors import ConfigError
from neumo_serving.gateway import token_file
from neumo_serving.gateway.gateway_settings import AccessRules
from neumo_serving.gateway.problems import refusal

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
WRONG_WAITS_S = 0.5
WRONG_AT_ONCE = 10
"""So many wrong tokens of one client may wait at a time; it is refused beyond them."""
TOLD_EVERY_S = 60.0
MAX_CLIENTS = 1000
_WANTED = "send a valid token: Authorization: Bearer ..."


class Tokens:
    """What is accepted now; a wrong one is answered late, counted, and told of in the log."""

    def __init__(
        self,
        access: AccessRules,
        count: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``count`` is called for each wrong token."""
        self._digests = access.token_digests
        self._file = access.token_file
        self._count = count
        self._clock = clock
        self._stamp = token_file.stamp(self._file)
        self._looked = clock()
        self._waiting: dict[str, int] = {}
        self._told: OrderedDict[str, float] = OrderedDict()

    async def check(self, token: str, client: str) -> None:
        """Raise a ``Refusal`` where ``token`` is not accepted: at once without, late if wrong."""
        self._look()
        if not self._digests or self._has(token):
            return
        if not token:
            raise refusal("unauthorized", _WANTED)
        self._count()
        self._tell(client)
        if self._waiting.get(client, 0) >= WRONG_AT_ONCE:
            raise refusal("rate-limit", "too many wrong tokens: wait a moment", retry_s=1)
        self._waiting[client] = self._waiting.get(client, 0) + 1
        try:
            await asyncio.sleep(WRONG_WAITS_S)
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]
        raise refusal("unauthorized", f"the token is wrong: {_WANTED}")

    def _has(self, token: str) -> bool:
        digest = sha256(token.encode("latin-1", "replace")).digest()
        # Every digest is compared, and each in constant time.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return any(matches)

    def _look(self) -> None:
        now = self._clock()
        if self._file is None or now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        stamp = token_file.stamp(self._file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._digests = token_file.read(self._file)
        except ConfigError as error:
            # Nobody is let in that was not before; those who were stay until it can be read.
            log.error("%s; the tokens from before still hold", error)  # noqa: TRY400 - one line
        else:
            log.info("--token-file: read again, %d token(s)", len(self._digests))

    def _tell(self, client: str) -> None:
        """One line a minute for each client: a log that anybody can fill says nothing."""
        now = self._clock()
        if now - self._told.get(client, -TOLD_EVERY_S) < TOLD_EVERY_S:
            return
        self._told[client] = now
        self._told.move_to_end(client)
        if len(self._told) > MAX_CLIENTS:
            self._told.popitem(last=False)
        log.warning("wrong tokens come from %s", client)
