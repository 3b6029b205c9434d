"""Access: keys, and the number of questions per minute."""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Sequence
from hashlib import sha256

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from rag.server.http.failures import Failure


class Access:
    """Dependencies of routes. `allowed` refuses requests without a key, `counted` those over the limit."""

    def __init__(self, keys: Sequence[bytes], per_minute: int) -> None:
        self._keys = keys
        self._per_minute = per_minute
        self._quota = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def allowed(self, request: Request) -> str:
        """The client: the digest of its key, or its address where no keys are set."""
        if not self._keys:
            return request.client.host if request.client else ""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        digest = sha256(key.strip().encode()).digest()
        fits = [hmac.compare_digest(digest, k) for k in self._keys]
        if scheme.lower() != "bearer" or not any(fits):
            raise Failure(
                401,
                "no key, or one that is not known here",
                "invalid_api_key",
                **{"WWW-Authenticate": "Bearer"},
            )
        return digest.hex()

    async def counted(self, request: Request) -> None:
        """Count a question or a search of this client."""
        who = await self.allowed(request)
        if self._quota is None or self._window.hit(self._quota, who):
            return
        reset_s = self._window.get_window_stats(self._quota, who).reset_time - time.time()
        wait_s = math.ceil(max(1.0, reset_s))
        raise Failure(
            429,
            f"at most {self._per_minute} questions a minute; ask again in {wait_s} s",
            "rate_limit_exceeded",
            **{"Retry-After": str(wait_s)},
        )
