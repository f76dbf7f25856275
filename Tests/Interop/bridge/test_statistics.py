"""What the gateway says of a browser's leg on the signal socket (CONTRACT 6), to aiortc, beside what aiortc counts itself."""

import asyncio

from signal_caller import SignalCaller


def test_the_gateway_tells_how_the_leg_does(start_gateway):
    gateway = start_gateway(agents={"demo": {"builtin": "echo"}}, routes=[{"name": "demo", "when": {"to": "demo"}, "do": [{"agent": "demo"}]}])

    async def scenario():
        async with SignalCaller(gateway, "demo") as caller:
            await caller.wait_message("connected")
            while sum(message["type"] == "stats" for message in caller.messages) < 2:
                await asyncio.sleep(0.05)
            first, second = [message for message in caller.messages if message["type"] == "stats"][:2]
            assert second["codec"] == "opus" and 3.5 < second["mos"] <= 4.5, second
            between = second["received"]["packets"] - first["received"]["packets"]
            assert 60 < between < 140, (first, second)
            assert second["received"]["lost"] == 0 and second["received"]["loss_pct"] == 0, second
            assert 1_000 < second["received"]["bitrate"] < 130_000 and 1_000 < second["sent"]["bitrate"] < 70_000, second
            assert second["sent"]["packets"] > first["sent"]["packets"] > 0
            await caller.tell("hangup")
            await caller.wait_message("ended")

    asyncio.run(asyncio.wait_for(scenario(), 30))
