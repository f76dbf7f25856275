"""Recordings, read by FFmpeg's decoders (PyAV): a whole call in both formats, and what a killed gateway leaves behind."""

import stat
import urllib.request

import av
import numpy as np
import pytest
import speech
from gateway import Gateway
from sip_caller import SIPCaller
from sound import best_correlation
from waiting import wait_until

ROUTES = [{"name": "recorded", "when": {"to": "assistant"}, "do": [{"agent": "assistant", "record": True}]}]


def configured(folder, format):
    return {"recordings": {"folder": str(folder), "format": format}}


def the_file(folder, pattern="*/*"):
    found = list(folder.glob(pattern))
    assert len(found) == 1, f"one recording: {found}"
    return found[0]


def decoded(path):
    """(samples a second, left, right) as FFmpeg reads the file."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.channels == 2
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=stream.codec_context.sample_rate)
        pieces = [piece.to_ndarray() for frame in container.decode(stream) for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray() for piece in resampler.resample(None)]
        samples = np.concatenate(pieces, axis=1).reshape(-1, 2)
        return stream.codec_context.sample_rate, samples[:, 0], samples[:, 1]


@pytest.mark.parametrize("format", ["wav", "opus"])
def test_both_sides_of_a_call(format, agent, start_gateway, start_phone, tmp_path):
    gateway = start_gateway(agents={"assistant": agent.configuration}, routes=ROUTES, configuration=configured(tmp_path, format))
    call = start_phone(gateway).call("assistant")
    agent_call = agent.wait_call()
    agent_call.wait_heard(0.5, 5)
    (running,) = gateway.api("GET", "calls")[2]["items"]
    assert running["recording"]["state"] == "recording"
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    call.media.play(said)
    agent_call.wait_heard(len(said) / 8000 + 1, 20)
    agent_call.say(answer)
    call.media.wait_sound(2)
    call.media.wait_heard_further(len(answer) / 8000 + 0.5, 20)

    status, _, told = gateway.api("POST", f"calls/{running['id']}/recording", {"state": "paused"})
    assert (status, told["state"]) == (200, "paused")
    call.media.play(speech.samples(speech.BROWSER_SENTENCE))
    call.media.wait_heard_further(1.5, 10)
    assert call.hang_up() == 200
    wait_until(lambda: gateway.metric("tandem_recordings_finished_total") == 1, 5, "a finished recording")

    path = the_file(tmp_path)
    assert path.name == f"{running['id']}.{format}" and stat.S_IMODE(path.stat().st_mode) == 0o600
    (record,) = wait_until(lambda: gateway.api("GET", "records")[2]["items"], 5, "the call's record")
    assert record["recording"] == {"file": f"{path.parent.name}/{path.name}", "state": "finished"}
    # The API gives the same bytes, whole and in part.
    url = f"{gateway.http_url}/api/v1/records/{running['id']}/recording"
    whole = path.read_bytes()
    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.headers["Content-Type"].startswith("audio/") and response.read() == whole
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=-1000"}), timeout=10) as response:
        assert response.status == 206 and response.read() == whole[-1000:]
    rate, left, right = decoded(path)
    assert rate == (8000 if format == "wav" else 48000)
    spoken, answered = (speech.samples(sentence, rate) for sentence in (speech.PHONE_SENTENCE, speech.AGENT_SENTENCE))
    (said_at, said_like), (answered_at, answered_like) = best_correlation(spoken, left, rate), best_correlation(answered, right, rate)
    print(f"{format}: {path.stat().st_size} bytes for {len(left) / rate:.1f} s; caller {said_like:.3f}, agent {answered_like:.3f}")
    assert said_like > 0.85 and answered_like > 0.85
    assert answered_at > said_at + len(said) / 8000
    # What was said while it was paused is silence, on a file as long as the call.
    assert not np.any(np.abs(left[-int(1.2 * rate) :].astype(int)) > 40)
    assert gateway.metric("tandem_recordings_dropped_milliseconds_total") == 0
    assert gateway.api("DELETE", f"records/{running['id']}/recording")[0] == 204
    assert not path.exists() and gateway.api("GET", f"records/{running['id']}/recording")[0] == 410


@pytest.mark.parametrize("format", ["wav", "opus"])
def test_a_killed_gateway_leaves_a_playable_file(format, agent, start_gateway, out_folder, tmp_path):
    first = Gateway(out_folder / "killed", agents={"assistant": agent.configuration}, routes=ROUTES, configuration=configured(tmp_path, format))
    try:
        with SIPCaller(first.sip_udp) as phone:
            call = phone.call("assistant")
            call.media.play(np.tile(speech.tone(700, 1), 6))
            agent.wait_call().wait_heard(4, 20)
            first.process.kill()
            first.process.wait(5)
            call.over = True  # there is nobody to say BYE to
    finally:
        first.kill()

    def heard(path):
        rate, left, _ = decoded(path)
        assert len(left) / rate > 2
        assert np.sqrt(np.mean(left[rate : 2 * rate].astype(float) ** 2)) > 3000
        return len(left) / rate

    partial = the_file(tmp_path)
    assert partial.suffix == ".part"
    before = heard(partial)
    start_gateway(configuration=configured(tmp_path, format))
    path = wait_until(lambda: next(iter(tmp_path.glob(f"*/*.{format}")), None), 5, "the name of a whole file")
    assert the_file(tmp_path) == path
    assert heard(path) >= before
