"""SIP flows against sipp: every scenario ends as RFC 3261 says, and nothing is left of it: no call, dialog or port when the
test is over (fixture `gateway`), no transaction or timer half a minute later (`Parking`)."""

import pytest
import speech


@pytest.fixture
def speech_file(out_folder):
    """Speech as raw mu-law, which is what sipp's rtp_stream plays."""
    import g711

    path = out_folder / "speech.ulaw"
    path.write_bytes(g711.encode(speech.samples(speech.PHONE_SENTENCE)))
    return path


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("to", ["echo", "demo"])
def test_basic_call(gateway, run_sipp, speech_file, to, transport):
    run_sipp(gateway, "basic", to=to, transport=transport, SPEECH=speech_file, MILLISECONDS=2500).finish()


def test_ten_calls_at_once(gateway, run_sipp, speech_file):
    run_sipp(gateway, "basic", calls=10, SPEECH=speech_file, MILLISECONDS=3000).finish()


def test_basic_call_to_a_websocket_agent(agent, agent_gateway, run_sipp, speech_file):
    run_sipp(agent_gateway, "basic", to="assistant", SPEECH=speech_file, MILLISECONDS=2500).finish()
    call = agent.wait_call()
    call.wait_for("stop", 5)
    call.wait_closed()
    assert not call.transcript.violations
    assert len(call.transcript.heard()) >= 8000 * 2


def test_delayed_offer(gateway, run_sipp, speech_file):
    run_sipp(gateway, "delayed_offer", SPEECH=speech_file, MILLISECONDS=1500).finish()


def test_hold_and_resume(agent, agent_gateway, run_sipp):
    run_sipp(agent_gateway, "hold_resume", to="assistant").finish()
    call = agent.wait_call()
    call.wait_for("stop", 5)
    # Hold is silence to the agent, never a gap.
    assert not call.transcript.violations


def test_cancel_while_ringing(start_agent, start_gateway, run_sipp):
    slow = start_agent(upgrade_delay=2.0)
    gateway = start_gateway(agents={"slow": slow.configuration})
    run_sipp(gateway, "cancel_while_ringing", to="slow").finish()
    gateway.await_idle()
    # The agent's socket was given up with the call.
    for call in slow.calls:
        call.wait_closed()
        assert call.start is None, "the agent was told of a call that had been cancelled"


def test_cancel_against_200(gateway, run_sipp):
    run_sipp(gateway, "cancel_against_200").finish()
    gateway.await_idle()


def test_lost_200_comes_again_until_the_ack(gateway, run_sipp):
    run = run_sipp(gateway, "lost_200")
    run.finish()
    before, _, after = run.messages().partition("\nACK sip:")
    assert before.count("\nSIP/2.0 200 OK") == 3  # at 0, 0.5 and 1.5 s
    assert after.count("\nSIP/2.0 200 OK") == 1  # that of the BYE


@pytest.mark.timeout(180)
def test_never_acknowledged_200_ends_in_bye(gateway, run_sipp):
    run_sipp(gateway, "never_acknowledged", limit=60).finish()
    gateway.await_idle()


def test_a_source_that_is_no_trunk_gets_403(gateway, run_sipp):
    run_sipp(gateway, "refused", source="127.0.0.9", STATUS=403, EXPECT="SIP/2.0 403", HEADER="Subject: nobody", MAX_FORWARDS=70).finish()


def test_no_route_is_404(gateway, run_sipp):
    run_sipp(gateway, "refused", to="nobody", STATUS=404, EXPECT="SIP/2.0 404", HEADER="Subject: nobody", MAX_FORWARDS=70).finish()


def test_a_route_that_rejects_gives_its_status(start_gateway, run_sipp):
    gateway = start_gateway(routes=[{"name": "closed", "when": {"to": "closed"}, "do": [{"reject": 603}]}])
    run_sipp(gateway, "refused", to="closed", STATUS=603, EXPECT="SIP/2.0 603", HEADER="Subject: closed", MAX_FORWARDS=70).finish()


def test_an_agent_that_refuses_ends_in_the_next_step(start_agent, start_gateway, run_sipp):
    refusing = start_agent(refuse=503)
    gateway = start_gateway(agents={"refusing": refusing.configuration}, routes=[
        {"name": "fallback", "when": {"to": "fallback"}, "do": [{"agent": "refusing"}, {"reject": 480}]}])  # fmt: skip
    run_sipp(gateway, "refused", to="fallback", STATUS=480, EXPECT="SIP/2.0 480", HEADER="Subject: fallback", MAX_FORWARDS=70).finish()


@pytest.mark.parametrize("scenario", ["options", "method_not_allowed", "no_dialog", "no_transaction", "media_type", "no_codec", "merged"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_answers_of_rfc_3261(gateway, run_sipp, scenario, transport):
    run_sipp(gateway, scenario, transport=transport).finish()


def test_an_extension_the_gateway_lacks_is_420(gateway, run_sipp):
    run_sipp(gateway, "refused", STATUS=420, EXPECT="Unsupported: *nonsuch", HEADER="Require: nonsuch", MAX_FORWARDS=70).finish()


def test_max_forwards_0_is_483(gateway, run_sipp):
    run_sipp(gateway, "refused", STATUS=483, EXPECT="SIP/2.0 483", HEADER="Subject: hops", MAX_FORWARDS=0).finish()


def test_draining_refuses_with_retry_after_and_ends_what_is_left(gateway, run_sipp):
    standing = run_sipp(gateway, "long_call")
    standing.wait_message("\nACK sip:")
    gateway.terminate()
    refused = run_sipp(gateway, "refused", STATUS=503, EXPECT="Retry-After: *[0-9]", HEADER="Subject: late", MAX_FORWARDS=70)
    refused.finish()
    assert gateway.get("/readyz")[0] == 503
    standing.finish()  # the BYE, after limits.drain_seconds
    assert gateway.process.wait(15) == 0


@pytest.mark.parametrize("lost", [1, 1000])
def test_the_last_bye_is_repeated_for_a_while(gateway, start_phone, lost):
    phone = start_phone(gateway)
    call = phone.call("echo")
    phone.to_lose = ["BYE"] * lost
    gateway.terminate()
    assert gateway.process.wait(15) == 0
    call.over = True
    byes = [request for request in phone.requests if request.method == "BYE"]
    assert len(byes) == min(lost, 2) + 1  # at 0, 0.5 and 1.5 s
    assert len({bye.branch for bye in byes}) == 1
