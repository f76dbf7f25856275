"""Waiting for something to become true, always with a limit."""

import time


def wait_until(condition, limit, what, every=0.02):
    """Polls `condition` until it returns something true, and returns that. Fails with `what` after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what() if callable(what) else what}")
        time.sleep(every)
