"""The judge of the Twilio dialect is judged first: it is content with a good stream and sees every broken promise."""

import base64
import copy
import json

import pytest
from twilio_transcript import TwilioTranscript

STREAM, CALL, ACCOUNT = "MZ" + "1" * 32, "CA" + "2" * 32, "AC" + "3" * 32


def good_stream():
    messages = [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": {
            "accountSid": ACCOUNT, "streamSid": STREAM, "callSid": CALL, "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from_number": "+14155550100", "to_number": "assistant"}}},
    ]  # fmt: skip
    for number in range(5):
        payload = base64.b64encode(bytes([number]) * 160).decode()
        media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * 20 + 1), "payload": payload}
        messages.append({"event": "media", "sequenceNumber": str(number + 2), "streamSid": STREAM, "media": media})
    messages.append({"event": "mark", "sequenceNumber": "7", "streamSid": STREAM, "mark": {"name": "a"}})
    messages.append({"event": "dtmf", "sequenceNumber": "8", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": "5"}})
    messages.append({"event": "stop", "sequenceNumber": "9", "streamSid": STREAM, "stop": {"accountSid": ACCOUNT, "callSid": CALL}})
    return messages


def judged(messages):
    transcript = TwilioTranscript()
    for number, message in enumerate(messages):
        transcript.receive(message if isinstance(message, (str, bytes)) else json.dumps(message), number * 0.02)
    return transcript


def test_a_good_stream_has_no_violations():
    transcript = judged(good_stream())
    assert transcript.violations == []
    assert transcript.events() == ["connected", "start", "media", "mark", "dtmf", "stop"]
    assert transcript.digits() == "5" and len(transcript.heard()) == 800


def changed(number, path, value):
    def change(messages):
        inner = messages[number]
        for key in path[:-1]:
            inner = inner[key]
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value

    return change


@pytest.mark.parametrize("change", [
    lambda messages: messages.pop(0), lambda messages: messages.pop(1), lambda messages: messages.pop(4), lambda messages: messages.insert(1, copy.deepcopy(messages[2])),
    lambda messages: messages.insert(3, copy.deepcopy(messages[0])), lambda messages: messages.append(copy.deepcopy(messages[6])), lambda messages: messages.insert(2, b"\0"),
    lambda messages: messages.insert(2, "{"), lambda messages: messages.insert(2, {"event": "hello"}),
    changed(0, ["version"], "1.0"), changed(0, ["protocol"], None), changed(1, ["sequenceNumber"], 1), changed(1, ["start", "callSid"], "CA1"),
    changed(1, ["start", "tracks"], ["inbound", "outbound"]), changed(1, ["start", "mediaFormat", "sampleRate"], "8000"),
    changed(1, ["start", "customParameters"], {"from_number": "1"}), changed(1, ["start", "customParameters"], {"from_number": "1", "to_number": 2}),
    changed(2, ["media", "chunk"], 1), changed(2, ["media", "track"], "inbound_track"), changed(3, ["media", "timestamp"], "20"), changed(3, ["media", "timestamp"], 21),
    changed(3, ["media", "payload"], "not base64"), changed(3, ["media", "payload"], "AAAA"), changed(3, ["media", "more"], 1), changed(3, ["streamSid"], "MZ" + "9" * 32),
    changed(7, ["mark", "name"], 5), changed(8, ["dtmf", "track"], "inbound"), changed(8, ["dtmf", "digit"], "55"), changed(9, ["stop", "callSid"], "CA" + "9" * 32),
])  # fmt: skip
def test_every_broken_promise_is_seen(change):
    messages = good_stream()
    change(messages)
    assert judged(messages).violations


def test_shapes_are_those_of_types_not_of_values():
    other = good_stream()
    other[1]["start"]["customParameters"]["queue"] = "support"
    other[2]["media"]["timestamp"] = "7"
    assert judged(good_stream()).shapes() == judged(other).shapes()
    other[2]["media"]["timestamp"] = 7
    assert judged(good_stream()).shapes() != judged(other).shapes()
