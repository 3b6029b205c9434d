"""One call of a model: its deadline, and whether it is still wanted. Nothing else."""

from __future__ import annotations

import time

from rag.errors import GenerationError, StoppedError
from rag.protocols import Cancel

POLL_S = 0.05  # how often `cancel` is checked while nothing arrives


class Call:
    """See `Generator.generate` for `deadline_s` and `cancel`. `phase` says what takes the time now, for the error message."""

    def __init__(self, deadline_s: float, cancel: Cancel, phase: str) -> None:
        self._deadline_s = deadline_s
        self._end = time.monotonic() + deadline_s
        self.cancel = cancel
        self.phase = phase

    def left_s(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise `StoppedError` or `GenerationError` when the call must end."""
        if self.cancel():
            raise StoppedError("stopped")
        if self.left_s() <= 0:
            raise GenerationError(
                f"no answer within {self._deadline_s:.3g} s ({self.phase}); ask again, "
                "or raise answer_timeout_s in citewire.toml"
            )

    def pause(self, seconds: float) -> None:
        """Wait a moment, unless the call must end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            time.sleep(POLL_S)
