"""What processes say, each line within a time."""

import os
import select
import time


def last_line(words):
    lines = words.strip().splitlines()
    return lines[-1] if lines else "no answer"


class Lost(Exception):
    """A side that did not end as it should."""


class Lines:
    """The lines of a process, each within a time, after which the process is ended."""

    def __init__(self, process):
        self.process, self.file, self.rest = process, process.stdout.fileno(), b""

    def read(self, seconds):
        """Whether something came, or the end."""
        ready = select.select([self.file], [], [], max(0, seconds))[0]
        got = os.read(self.file, 1 << 16) if ready else b""
        self.rest += got
        return bool(got)

    def next(self, until):
        """"" at the end."""
        while b"\n" not in self.rest:
            if not self.read(until - time.monotonic()):
                if time.monotonic() < until:
                    return ""
                self.process.kill()
                raise Lost("took too long")
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def drop(self):
        """What has been written by now; the beginning of a line stays."""
        while self.read(0):
            pass
        self.rest = self.rest[self.rest.rfind(b"\n") + 1:]
