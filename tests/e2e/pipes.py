"""Reading lines from a process that may be killed at any instant: no buffering in between, and every wait has an end."""

import select
import time
from typing import IO


class Lines:
    """Reads lines from a pipe, waiting for each at most so long."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.pipe, self.buffer = pipe, b""

    def next(self, wait_s: float) -> list[str] | None:
        """Return the words of the next line; None when it did not come in time."""
        until = time.monotonic() + wait_s
        while b"\n" not in self.buffer:
            if not select.select([self.pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                return None
            piece = self.pipe.read(65536)
            if not piece:
                raise EOFError(f"the process ended; its last words were {self.buffer!r}")
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode().split()
