"""The dial plan of a running gateway: what `tandem route` says is what a call then does, a new plan comes in while calls run, and
what calls did is found in their records and tried against other plans."""

import csv
import io
import json
import re

import pytest
from waiting import wait_until

CALLER = "+14155550100"
CALLED = "+14155550199"


def plan_of(*routes, **sections):
    return json.dumps({"routes": list(routes), **sections}, indent=2) + "\n"


def route(name, to, *steps, **when):
    return {"name": name, "when": {"to": to, **when}, "do": list(steps)}


ECHO = route("echo", "echo", {"agent": "echo"})


@pytest.fixture
def with_trunk(start_gateway, start_callee):
    """(gateway, callee) with routes to the trunk `callee`."""

    def start(*routes, behaviour=None, configuration=None, **trunk):
        callee = start_callee(*([behaviour] if behaviour else []))
        gateway = start_gateway(trunks={"callee": {"hosts": [callee.uri], **trunk}}, routes=list(routes), configuration=configuration)
        return gateway, callee

    return start


# What `tandem route` says and what a call then does


STEPS = [
    pytest.param({"trunk": "callee"}, id="as dialled"),
    pytest.param({"trunk": "callee", "to": "+14155550177"}, id="to"),
    pytest.param({"trunk": "callee", "strip": 2, "prepend": "9"}, id="strip and prepend"),
    pytest.param({"trunk": "callee", "caller_id": "+14155550188", "ring_seconds": 30}, id="caller_id"),
    pytest.param({"trunk": "callee", "headers": {"X-Queue": "gold", "X-Note": "two words"}}, id="headers"),
]


@pytest.mark.parametrize("step", STEPS)
def test_what_route_says_is_what_the_call_does(with_trunk, start_phone, step):
    gateway, callee = with_trunk(route("closed", "+1900XXXXXXX", {"reject": 603}), route("out", "+1NXXNXXXXXX", step))
    status, output, _ = gateway.command("route", "--via", "phone", "--from", CALLER, "--to", CALLED, "--json")
    assert status == 0
    said = json.loads(output)
    assert said["route"] == "out" and said["refused"] is False
    assert [attempt["route"] for attempt in said["tried"]] == ["closed", "out"] and said["tried"][0]["field"] == "to"
    (first,) = said["steps"]

    call = start_phone(gateway, user=CALLER).call(CALLED)
    invite = callee.wait_call().invite
    (target,) = first["dial"][0]["targets"]
    assert invite.start_line.split()[1].removesuffix(";transport=udp") == target.removesuffix(";transport=udp")
    assert first["number"] in target
    assert f"sip:{first['caller_id']}@".replace("+", "") in invite.get("From").replace("%2B", "").replace("+", "")
    assert first["caller_id"] in invite.get("P-Asserted-Identity")
    for name, value in (first["headers"] or {}).items():
        assert invite.get(name) == value
    call.hang_up()

    # The same for people, and the same from the API.
    status, text, _ = gateway.command("route", "--via", "phone", "--from", CALLER, "--to", CALLED)
    assert status == 0
    for expected in ("closed", "out", target, first["number"], first["caller_id"], *(first["headers"] or {})):
        assert expected in text
    status, _, answer = gateway.api("POST", "dialplan/route", {"via": "phone", "from": CALLER, "to": CALLED})
    assert status == 200
    assert {**answer, "time": None} == {**said, "time": None}


def test_a_refusal_is_foretold(with_trunk, start_phone):
    gateway, _ = with_trunk(route("closed", "+1900XXXXXXX", {"reject": 603}))
    status, output, _ = gateway.command("route", "--via", "phone", "--from", CALLER, "--to", "+19005550100", "--json")
    assert status == 1
    code = json.loads(output)["refusal"]["code"]
    assert code == start_phone(gateway).invite("+19005550100").wait_final() == 603
    status, output, _ = gateway.command("route", "--via", "phone", "--from", CALLER, "--to", "nobody", "--json")
    assert status == 1 and json.loads(output)["refusal"]["code"] == start_phone(gateway).invite("nobody").wait_final() == 404


def test_numbers_with_tricks_in_them_go_nowhere(with_trunk, start_phone):
    """Nothing that a caller wrote gets into a dial string but the digits that a pattern matched."""
    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}))
    phone = start_phone(gateway)
    for trick in ("+14155550199%0d%0aX-Evil:%201", "+14155550199%00", "+1415555019%39%40127.0.0.9", "+1415555٠١٩٩", "%2B14155550199;user=phone@127.0.0.9", "+" + "1" * 200):
        call = phone.invite(trick)
        assert call.wait_final() in (400, 404, 414, 484), trick
    # Percent-encoding of what is a number is the number.
    call = phone.call("%2B1415555%30199")
    assert callee.wait_call().invite.start_line.split()[1].startswith(f"sip:{CALLED}@")
    assert len(callee.calls) == 1
    call.hang_up()


def test_check_names_every_problem_with_its_place(start_gateway):
    gateway = start_gateway(trunks={"paid": {"hosts": ["sip:127.0.0.2:9"]}})
    # A catch-all to a trunk that costs, from browsers that prove nothing; and a route behind it that is never reached.
    gateway.dialplan_path.write_text(
        'routes:\n'
        '  - name: everything\n'
        '    when: { to: "+!" }\n'
        '    do: [{ trunk: paid }]\n'
        '  - name: never reached\n'
        '    when: { to: "+1415XXXXXXX" }\n'
        '    do: [{ agent: echo }]\n')  # fmt: skip
    status, output, errors = gateway.command("check")
    assert status == 0, output + errors
    warnings = re.findall(r"^.*dialplan\.yaml:(\d+):(\d+): warning: (.+)$", output + errors, re.MULTILINE)
    assert warnings, output + errors
    assert any(line in ("5", "6") and "everything" in text for line, _, text in warnings), warnings
    assert gateway.command("check", "--strict")[0] == 78
    gateway.dialplan_path.write_text('routes:\n  - name: broken\n    when: { to: "+1[" }\n    do: [{ trunk: nowhere }]\n')
    status, output, errors = gateway.command("check")
    assert status == 78
    assert re.search(r"dialplan\.yaml:3:\d+: error: ", output + errors) and re.search(r"dialplan\.yaml:4:\d+: error: ", output + errors)


# A new plan while calls run


def test_a_reload_does_not_touch_running_calls(with_trunk, start_phone):
    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}))
    call = start_phone(gateway).call(CALLED)
    called = callee.wait_call()
    before = len(call.media.packets)
    gateway.dialplan_path.write_text(plan_of(ECHO, route("closed", "+1NXXNXXXXXX", {"reject": 603})))
    gateway.reload()
    wait_until(lambda: start_phone(gateway).invite(CALLED).wait_final() == 603, 10, "the new plan", every=0.2)
    call.media.wait_heard_further(0.5, 5)
    assert not call.over and not called.over and call.media.lost() == 0 and len(call.media.packets) > before
    assert call.hang_up() == 200
    called.wait_bye()
    # The log says what has changed.
    log = gateway.log_text()
    assert "closed" in log and "out" in log


def test_a_broken_plan_is_refused_and_the_old_one_stays(with_trunk, start_phone):
    gateway, _ = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}))
    gateway.dialplan_path.write_text('routes:\n  - name: broken\n    when: { to: "+1[" }\n    do: [{ agent: echo }]\n')
    gateway.reload()
    wait_until(lambda: re.search(r"dialplan\.yaml:3", gateway.log_text()), 10, "the place of the error in the log")
    call = start_phone(gateway).call(CALLED)
    call.hang_up()
    # A plan that fails its own test is refused as well.
    gateway.dialplan_path.write_text(plan_of(ECHO, tests=[{"via": "phone", "from": CALLER, "to": CALLED, "expect": "echo"}]))
    gateway.reload()
    wait_until(lambda: gateway.log_text().count("dialplan.yaml:") > 1, 10, "the failed test in the log")
    start_phone(gateway).call(CALLED).hang_up()
    # So is a plan that is no YAML at all, or far too large.
    for text in ("\t: [", "a: &a [x, x]\nb: [*a, *a", "#" * (5 << 20)):
        gateway.dialplan_path.write_text(text)
        gateway.reload()
        start_phone(gateway).call(CALLED).hang_up()
    assert gateway.alive()


def test_put(with_trunk, start_phone):
    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}))
    call = start_phone(gateway).call(CALLED)
    status, headers, old = gateway.api("GET", "dialplan")
    assert status == 200 and old == gateway.dialplan_path.read_text()
    etag = headers["ETag"]
    new = plan_of(ECHO, route("closed", "+1NXXNXXXXXX", {"reject": 603}))
    yaml_type = {"content_type": "application/yaml"}
    assert gateway.api("PUT", "dialplan", new, **yaml_type)[0] == 428
    assert gateway.api("PUT", "dialplan", new, If_Match='"stale"', **yaml_type)[0] == 412
    assert gateway.api("PUT", "dialplan", new, If_Match=etag)[0] == 415
    broken = 'routes:\n  - name: x\n    when: { to: "+1[" }\n    do: [{ agent: nobody }]\n'
    status, _, problem = gateway.api("PUT", "dialplan", broken, If_Match=etag, **yaml_type)
    assert status == 422 and {found["line"] for found in problem["problems"]} >= {3, 4}
    assert gateway.api("GET", "dialplan")[2] == old == gateway.dialplan_path.read_text()
    status, _, verdict = gateway.api("POST", "dialplan/check", new, **yaml_type)
    assert status == 200 and verdict["valid"]

    status, headers, change = gateway.api("PUT", "dialplan", new, If_Match=etag, **yaml_type)
    assert status == 200, change
    assert gateway.dialplan_path.read_text() == new and headers["ETag"] != etag
    assert "closed" in json.dumps(change["diff"]) and "out" in json.dumps(change["diff"])
    assert start_phone(gateway).invite(CALLED).wait_final() == 603
    # The call that was up is up.
    call.media.wait_heard_further(0.3, 5)
    assert call.hang_up() == 200
    callee.wait_call().wait_bye()

    status, _, versions = gateway.api("GET", "dialplan/versions")
    assert status == 200 and len(versions["items"]) >= 2 and versions["items"][0]["author"] == "local"
    oldest = versions["items"][-1]["number"]
    assert gateway.api("GET", f"dialplan/versions/{oldest}")[2] == old
    assert gateway.api("PUT", "dialplan", old, If_Match=headers["ETag"], **yaml_type)[0] == 200
    start_phone(gateway).call(CALLED).hang_up()


# Records


@pytest.fixture
def recorded(with_trunk, start_phone):
    """(gateway, record list) after an answered call, a busy one, one without a route and one to an agent."""
    busy = [False]
    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}), behaviour=lambda call: call.refuse(486) if busy[0] else call.answer())
    phone = start_phone(gateway, user=CALLER)
    call = phone.call(CALLED)
    call.media.wait_heard(1, 5)
    call.hang_up()
    busy[0] = True
    assert phone.invite(CALLED).wait_final() == 486
    assert phone.invite("nobody").wait_final() == 404
    call = phone.call("echo")
    call.media.wait_heard(0.3, 5)
    call.hang_up()
    items = wait_until(lambda: (lambda found: found if len(found) == 4 else None)(gateway.api("GET", "records")[2]["items"]), 10,
                       lambda: f"four records: {gateway.api('GET', 'records')}")  # fmt: skip
    return gateway, items


def test_records(recorded):
    gateway, items = recorded
    # The newest first.
    assert [record["cause"] for record in items] == ["caller_hangup", "no_route", "busy", "caller_hangup"]
    assert [record["route"] for record in items] == ["by name: echo", None, "out", "out"]
    answered = items[3]
    assert answered["via"] == "phone" and answered["from"]["e164"] == CALLER and answered["to"]["e164"] == CALLED
    assert answered["started_at"] < answered["answered_at"] < answered["ended_at"]
    assert items[2]["sip_code"] == 486 and items[2]["answered_at"] is None
    (step,) = answered["steps"]
    assert step["kind"] == "trunk" and step["target"] == "callee" and step["dialled"] == CALLED and step["outcome"] == "answered"
    caller, callee = answered["legs"]
    for leg in (caller, callee):
        assert leg["codec"] == "PCMU" and leg["packets_received"] > 30 and leg["packets_sent"] > 30 and leg["lost"] == 0
        assert 4.0 < leg["mos"] <= 4.5

    status, _, whole = gateway.api("GET", f"records/{answered['id']}")
    assert status == 200 and whole["explanation"]["route"] == "out"
    _, _, asked = gateway.api("POST", "dialplan/route", {"via": "phone", "from": CALLER, "to": CALLED})
    assert whole["explanation"]["steps"] == asked["steps"], "the record holds what was asked of the plan"

    assert len(gateway.api("GET", "records?cause=busy")[2]["items"]) == 1
    page = gateway.api("GET", "records?limit=3")[2]
    rest = gateway.api("GET", f"records?limit=3&cursor={page['next']}")[2]
    assert [record["id"] for record in page["items"] + rest["items"]] == [record["id"] for record in items] and rest["next"] is None

    status, headers, text = gateway.api("GET", "records?format=csv")
    assert status == 200 and headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["cause"] for row in rows] == [record["cause"] for record in items]
    assert rows[3]["to_e164"] == CALLED


def test_what_if(recorded, tmp_path):
    gateway, items = recorded
    new = plan_of(ECHO, route("closed", "+1NXXNXXXXXX", {"reject": 603}))
    file = tmp_path / "new.yaml"
    file.write_text(new)
    status, _, report = gateway.api("POST", "dialplan/what-if", new, content_type="application/yaml")
    assert status == 200
    assert report["total"] == 4
    moved = [change for change in report["changes"] if change["before"]["route"] == "out"]
    assert sum(change["count"] for change in moved) == 2 and all(change["after"]["route"] == "closed" for change in moved)
    status, output, errors = gateway.command("route", "--replay", str(gateway.folder / "calls.db"), "--plan", str(file))
    assert status == 0, errors
    assert "out" in output and "closed" in output and "2" in output
    # The same plan changes nothing.
    status, _, report = gateway.api("POST", "dialplan/what-if", gateway.dialplan_path.read_text(), content_type="application/yaml")
    assert report["changes"] == [] and report["unchanged"] == 4


# Limits


def test_max_calls_of_a_trunk(with_trunk, start_phone):
    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}), max_calls=1)
    phone = start_phone(gateway)
    call = phone.call(CALLED)
    assert phone.invite(CALLED).wait_final() in (480, 486, 503)
    assert gateway.metrics()["tandem_refused_total"]['limit="trunk_calls"'] == 1
    call.hang_up()
    callee.wait_call().wait_bye()
    phone.call(CALLED).hang_up()
    assert len(callee.calls) == 2


def test_calls_per_second_of_a_trunk(with_trunk, start_phone):
    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}), max_calls_per_second=2)
    phone = start_phone(gateway)
    calls = [phone.invite(CALLED) for _ in range(10)]
    statuses = [call.wait_final() for call in calls]
    assert 1 <= statuses.count(200) <= 5 and set(statuses) - {200} <= {480, 503}
    assert gateway.metrics()["tandem_refused_total"]['limit="trunk_rate"'] == statuses.count(503) + statuses.count(480)


def test_the_budget_of_browsers_that_prove_nothing(with_trunk):
    import asyncio

    from signal_caller import SignalCaller

    gateway, callee = with_trunk(route("out", "+1NXXNXXXXXX", {"trunk": "callee"}, via="browser"),
                                 configuration={"limits": {"unauthenticated": {"paid_calls": 1, "new_destinations_per_hour": 2}}})  # fmt: skip

    async def refused(number):
        async with SignalCaller(gateway, number) as caller:
            ended = await caller.wait_message("ended")
            assert ended["cause"] == "refused", ended
            return ended["detail"]

    async def scenario():
        async with SignalCaller(gateway, CALLED) as first:
            await first.wait_message("connected", 15)
            detail = await refused("+14155550123")
            assert detail
            await first.tell("hangup")
            await first.wait_message("ended")
        await asyncio.to_thread(gateway.await_idle)
        async with SignalCaller(gateway, "+14155550123") as second:
            await second.wait_message("connected", 15)
            await second.tell("hangup")
        await asyncio.to_thread(gateway.await_idle)
        assert await refused("+14155550177") != detail

    asyncio.run(asyncio.wait_for(scenario(), 60))
    refusals = gateway.metrics()["tandem_refused_total"]
    assert refusals['limit="paid_calls"'] == 1 and refusals['limit="new_destinations"'] == 1
    assert len(callee.calls) == 2
