"""Whether speech arrived whole, and what to look at if it did not."""

import heard
from browser_driver import Recording
from sound import best_correlation

STALL = 0.04  # seconds; a sender later than this leaves a hole that the gateway has to fill


def assert_same_speech(said, recording, at_least, gateway, sender=None, rate=8000):
    """`said` is in `recording` at this correlation, in one piece.

    A machine that stands still makes pauses that are nobody's fault here. Where the gateway counted a slot it never played, or
    the sending RTPStream was late itself, the speech is compared in pieces of half a second, each with a delay of its own."""
    lag, correlation = best_correlation(said, recording, rate)
    if correlation >= at_least:
        return
    pieces = heard.speech(Recording(recording, rate), said, rate)
    skipped = gateway.metric("tandem_skipped_ticks_total")
    late = sender.worst_lateness if sender else 0.0
    stalled = skipped > 0 or late > STALL
    assert stalled and pieces.correlation >= at_least and pieces.spread < 1.0, (
        f"correlation {correlation:.3f} at {lag:.3f} s, wanted {at_least}; {pieces}; {skipped:.0f} slots skipped, sender {1000 * late:.0f} ms late; "
        f"{ {name: sum(series.values()) for name, series in gateway.metrics().items() if name.endswith('_total')} }"
    )
