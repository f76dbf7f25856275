"""`media.realtime`: media threads run under SCHED_RR where the system allows it; else one warning, and the gateway goes on."""

import pathlib

from waiting import wait_until

SCHED_RR = 2


def policies(pid):
    """The scheduling policy of every thread (proc(5), stat field 41)."""
    stats = [path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return [int(stat.rpartition(")")[2].split()[38]) for stat in stats]


def test_realtime_or_one_warning(start_gateway):
    gateway = start_gateway(configuration={"media": {"realtime": True, "loops": 2}})

    def granted():
        return policies(gateway.process.pid).count(SCHED_RR) == 2

    def refused():
        return gateway.log_text().count("the system refuses real-time priority") == 1

    wait_until(lambda: granted() or refused(), 5, "neither real-time priority nor a warning")
    assert granted() != refused()
    assert gateway.get("/healthz")[0] == 200


def test_normal_priority_without(start_gateway):
    gateway = start_gateway()
    assert SCHED_RR not in policies(gateway.process.pid)
