// The agent's side of `tandem.media.v1`, Tandem's own protocol: one module for Node 18 and later, without dependencies.
//
//   import { serve } from "./tandem_agent.mjs"
//   serve(async call => {
//     for await (const event of call) {             // until the call is over
//       if (event.name === "audio") …               // event.samples: Int16Array, 20 ms of the caller
//       if (event.name === "dtmf") …                // every event of the gateway, its fields in event.data
//     }
//   }, { port: 9000, token: "secret" })
//
// An agent that takes Opus (`accept: offer => offer.find(({ codec }) => codec === "opus")`, where a browser calls) gets the caller's packets as they came, in
// `event.packet`, and says its own with `call.sayPacket`.
//
// Sockets break; calls do not: when the gateway comes back with `resume`, the same function goes on, and only new sound and new
// events reach it. What was said to the gateway and not yet done is said again.

import { createHash } from "node:crypto"
import { createServer } from "node:http"

const SUBPROTOCOL = "tandem.media.v1"
const HEADER = 16, AUDIO = 1, DISCONTINUITY = 1, CONCEALED = 4
const SECONDS_TO_COME_BACK = 15, COMMANDS_KEPT = 256, SECONDS_KEPT = 60

/** How long an Opus packet is, in samples of 48 kHz (RFC 6716 section 3.1). */
export function opusSamples(packet) {
  const kind = packet[0] >> 3
  const frame = kind < 12 ? [480, 960, 1920, 2880][kind & 3] : kind < 16 ? [480, 960][kind & 1] : 120 << (kind & 3)
  return frame * [1, 2, 2, packet[1] & 63][packet[0] & 3]
}

const countOf = ({ codec }, payload) => (codec === "opus" ? opusSamples(payload) : payload.length / (codec === "pcm_s16le" ? 2 : 1))

/** One call, from `start` to `stop`, over as many sockets as it takes. Iterate over it for what happens. */
export class Call {
  constructor(start, chosen) {
    this.start = start
    this.info = start.call
    this.parameters = start.parameters
    // What is heard, and what is said; the rate is that of both unless they differ.
    ;[this.format, this.formatSaid] = Array.isArray(chosen) ? chosen : [chosen, chosen]
    this.rate = this.formatSaid.rate
    this.generation = 1
    this.pts = 0 // of the next sample that is said
    this.heard = 0 // of the first sample the caller did not hear, as last told
    this.next = 0 // the caller's next wanted sample
    this.lastSeq = start.seq
    this.id = 1
    this.binarySeq = 0
    this.said = []
    this.sounds = []
    this.events = []
    this.isOver = false
  }

  /** Queues samples of any length; the gateway plays them in time. */
  say(samples) {
    for (let at = 0; at < samples.length; at += this.rate / 2) {
      const part = samples.slice(at, at + this.rate / 2)
      const payload = Buffer.alloc(part.length * 2)
      part.forEach((sample, n) => payload.writeInt16LE(sample, n * 2))
      this.#say(payload)
    }
  }

  /** Queues one Opus packet, which goes to the caller as it is. */
  sayPacket(packet) { this.#say(Buffer.from(packet)) }

  #say(payload) {
    this.sounds.push({ pts: this.pts, generation: this.generation, payload })
    this.pts += countOf(this.formatSaid, payload)
    while (this.pts - this.sounds[0].pts > SECONDS_KEPT * this.rate) this.sounds.shift()
    this.#sendSound(this.sounds.at(-1))
  }

  /** The caller interrupts: drops what is queued. What is said next is another generation. */
  clear() { this.command("clear", { gen: this.generation++ }) }

  /** `mark` comes back with `status` when what was said before it was played, or cleared. */
  mark(name) { this.command("mark", { name, gen: this.generation }) }

  /** `mode` bridge: the caller is joined to whoever answers; attended: the agent talks with them first, from `transfer` `answered` on; refer:
   *  the caller's own phone calls them. */
  transfer(to, fields = {}) { this.command("transfer", { to, mode: "bridge", ...fields }) }

  /** Joins the caller to whom an attended transfer consults. */
  completeTransfer(fields = {}) { this.command("transfer", { complete: true, ...fields }) }

  /** Takes a transfer back: the agent talks with the caller again. */
  cancelTransfer() { this.command("transfer", { cancel: true }) }

  hangUp(drain = true) { this.command("hangup", { cause: "normal", drain }) }

  /** Any other command of the protocol, such as `dtmf`, `pause`, `continue`, `message` or `set`. */
  command(event, fields = {}) {
    const id = ++this.id
    const text = JSON.stringify({ event, id, ...fields })
    this.said.push({ id, text })
    if (this.said.length > COMMANDS_KEPT) this.said.shift()
    this.socket?.send(text)
  }

  #sendSound({ pts, generation, payload }) {
    const message = Buffer.alloc(HEADER + payload.length)
    message.writeUInt8(AUDIO, 0)
    message.writeUInt16BE(generation, 2)
    message.writeUInt32BE(this.binarySeq++, 4)
    message.writeBigUInt64BE(BigInt(pts), 8)
    payload.copy(message, HEADER)
    this.socket?.send(message)
  }

  async *[Symbol.asyncIterator]() {
    while (true) {
      while (this.events.length) yield this.events.shift()
      if (this.isOver) return
      await new Promise(resolve => { this.wake = resolve })
    }
  }

  #tell(event) {
    this.events.push(event)
    this.wake?.()
  }

  takeBinary(message) {
    const payload = message.subarray(HEADER)
    const pts = Number(message.readBigUInt64BE(8)), count = countOf(this.format, payload)
    if (message[0] !== AUDIO || pts + count <= this.next) return // said again, and had already
    this.next = pts + count
    const sound = { name: "audio", pts, track: message.readUInt16BE(2), discontinuity: (message[1] & DISCONTINUITY) !== 0, concealed: (message[1] & CONCEALED) !== 0 }
    if (this.format.codec === "opus") sound.packet = payload
    else sound.samples = this.format.codec === "pcm_s16le" ? Int16Array.from({ length: count }, (_, n) => payload.readInt16LE(n * 2)) : payload
    this.#tell(sound)
  }

  takeText(event) {
    if (event.seq <= this.lastSeq) return
    this.lastSeq = event.seq
    this.heard = event.heard_pts ?? this.heard
    if (event.event === "cleared") this.generation = Math.max(this.generation, event.gen + 1)
    this.#tell({ name: event.event, data: event })
    if (event.event === "stop") this.end()
  }

  comeBack(resume) {
    this.binarySeq = 0
    this.socket.send(JSON.stringify({ event: "accept", id: ++this.id, resumed: true, caller_pts: this.next, last_seq: this.lastSeq }))
    this.sounds.filter(sound => sound.pts + countOf(this.formatSaid, sound.payload) > resume.agent_pts).forEach(sound => this.#sendSound(sound))
    this.said.filter(({ id }) => id > resume.last_id).forEach(({ text }) => this.socket.send(text))
  }

  end() {
    this.isOver = true
    this.wake?.()
  }
}

/** A server's WebSocket (RFC 6455), as much of it as a gateway needs. */
class Socket {
  constructor(stream) {
    this.stream = stream
    this.buffer = Buffer.alloc(0)
    this.onMessage = this.onClose = () => {}
    stream.setNoDelay(true)
    stream.on("data", data => this.#read(data))
    stream.on("error", () => {})
    stream.on("close", () => this.onClose(this.code))
  }

  send(message) { this.#write(typeof message === "string" ? 1 : 2, Buffer.from(message)) }

  close(code) {
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    this.#write(8, payload)
    this.stream.end()
  }

  #write(opcode, payload) {
    if (!this.stream.writable) return
    const header = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65536 ? 4 : 10)
    header[0] = 0x80 | opcode
    header[1] = header.length === 2 ? payload.length : header.length === 4 ? 126 : 127
    if (header.length === 4) header.writeUInt16BE(payload.length, 2)
    if (header.length === 10) header.writeBigUInt64BE(BigInt(payload.length), 2)
    this.stream.write(Buffer.concat([header, payload]))
  }

  #read(data) {
    this.buffer = Buffer.concat([this.buffer, data])
    for (let frame = this.#frame(); frame; frame = this.#frame()) {
      const { opcode, payload } = frame
      if (opcode === 9) this.#write(10, payload)
      if (opcode === 8) {
        this.code = payload.length >= 2 ? payload.readUInt16BE() : 1005
        this.#write(8, payload.subarray(0, 2))
        this.stream.end()
      }
      if (opcode === 1) this.onMessage(payload.toString())
      if (opcode === 2) this.onMessage(payload)
    }
  }

  /** The gateway sends whole messages, masked. */
  #frame() {
    const { buffer } = this
    if (buffer.length < 2) return
    const short = buffer[1] & 127, header = short < 126 ? 2 : short === 126 ? 4 : 10
    if (buffer.length < header + 4) return
    const length = short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2))
    if (buffer.length < header + 4 + length) return
    const mask = buffer.subarray(header, header + 4), payload = Buffer.from(buffer.subarray(header + 4, header + 4 + length))
    payload.forEach((byte, n) => { payload[n] = byte ^ mask[n & 3] })
    this.buffer = buffer.subarray(header + 4 + length)
    return { opcode: buffer[0] & 15, payload }
  }
}

/**
 * Serves calls until it is closed.
 * @param talk gets each Call; when it returns, the call is hung up
 * @param options port, host, token (what the gateway must show), accept (picks a format out of the offer, or two: what is heard and what is said)
 * @returns the node:http server
 */
export function serve(talk, { port = 9000, host = "127.0.0.1", token, accept } = {}) {
  const calls = new Map()
  const choose = accept ?? (offer => offer.find(({ codec }) => codec === "pcm_s16le"))

  function attach(socket, call, key) {
    call.socket = socket
    socket.onMessage = message => (typeof message === "string" ? call.takeText(JSON.parse(message)) : call.takeBinary(message))
    socket.onClose = code => {
      if (call.socket === socket) call.socket = undefined
      const forget = () => {
        if (call.socket) return
        calls.delete(key)
        call.end()
      }
      if (call.isOver || code === 1000) forget()
      else setTimeout(forget, SECONDS_TO_COME_BACK * 1000).unref()
    }
  }

  function begin(socket, start) {
    const call = new Call(start, choose(start.offer))
    calls.set(start.session.resume_token, call)
    attach(socket, call, start.session.resume_token)
    socket.send(JSON.stringify({ event: "accept", id: 1, in: call.format, out: call.formatSaid }))
    talk(call).catch(error => console.error(error)).finally(() => { if (!call.isOver) call.hangUp() })
  }

  function greet(socket) {
    socket.onMessage = message => {
      const first = JSON.parse(message)
      if (first.event !== "resume") return begin(socket, first)
      const call = calls.get(first.session.resume_token)
      if (!call || call.isOver) return socket.close(4410)
      attach(socket, call, first.session.resume_token)
      call.comeBack(first)
    }
  }

  const server = createServer((_, response) => response.writeHead(426).end())
  server.on("upgrade", (request, stream) => {
    if (token && request.headers.authorization !== `Bearer ${token}`) return stream.end("HTTP/1.1 401 Unauthorized\r\n\r\n")
    const key = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64")
    stream.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`)
    greet(new Socket(stream))
  })
  return server.listen(port, host)
}
