"""An agent that says back what it hears: run it, then call the destination that leads to it.

    agents:                                            # tandem.yaml
      native: { url: "ws://127.0.0.1:9000", protocol: tandem }
"""
import array
import asyncio
import math
import sys

import tandem_agent

SILENCE, QUIET_FRAMES = 500, 30   # loudest sample of a quiet frame; frames that end an utterance


def beep(rate, hertz=440, seconds=0.3):
    """A greeting."""
    count = int(rate * seconds)
    return array.array("h", (int(8000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count))).tobytes()


async def talk(call):
    print("call from", call.info["from"], "at", call.rate, "Hz", flush=True)
    await call.say(beep(call.rate))
    utterance, quiet, is_speaking = bytearray(), 0, False
    async for event in call:
        if event.name == "dtmf":
            if event.data["digit"] == "*":
                return  # hangs up
            await call.say(beep(call.rate, 600 + 100 * (ord(event.data["digit"]) % 10)))
        if event.name != "audio":
            continue
        loud = max(map(abs, array.array("h", event.samples))) > SILENCE
        if loud and not is_speaking:
            is_speaking = True
            await call.clear()  # the caller interrupts
        quiet = 0 if loud else quiet + 1
        if is_speaking:
            utterance += event.samples
        if is_speaking and quiet >= QUIET_FRAMES:
            await call.say(bytes(utterance))
            utterance, is_speaking = bytearray(), False


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    asyncio.run(tandem_agent.serve(talk, port=port, ready=lambda port: print("listening on port", port, flush=True)))
