// An agent that says back what it hears: run it, then call the destination that leads to it.
//
//   agents:                                            # tandem.yaml
//     native: { url: "ws://127.0.0.1:9000", protocol: tandem }

import { serve } from "./tandem_agent.mjs"

const SILENCE = 500, QUIET_FRAMES = 30 // loudest sample of a quiet frame; frames that end an utterance

/** A greeting. */
function beep(rate, hertz = 440, seconds = 0.3) {
  return Int16Array.from({ length: rate * seconds }, (_, n) => 8000 * Math.sin((2 * Math.PI * hertz * n) / rate))
}

async function talk(call) {
  console.log("call from", call.info.from, "at", call.rate, "Hz")
  call.say(beep(call.rate))
  let utterance = [], quiet = 0, isSpeaking = false
  for await (const event of call) {
    if (event.name === "dtmf") {
      if (event.data.digit === "*") return // hangs up
      call.say(beep(call.rate, 600 + 100 * (event.data.digit.charCodeAt(0) % 10)))
    }
    if (event.name !== "audio") continue
    const loud = event.samples.some(sample => Math.abs(sample) > SILENCE)
    if (loud && !isSpeaking) {
      isSpeaking = true
      call.clear() // the caller interrupts
    }
    quiet = loud ? 0 : quiet + 1
    if (isSpeaking) utterance.push(...event.samples)
    if (isSpeaking && quiet >= QUIET_FRAMES) {
      call.say(Int16Array.from(utterance))
      utterance = []
      isSpeaking = false
    }
  }
}

const server = serve(talk, { port: Number(process.argv[2] ?? 9000) })
server.on("listening", () => console.log("listening on port", server.address().port))
