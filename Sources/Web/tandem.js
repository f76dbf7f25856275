/**
 * tandem.js: voice calls from a browser through a Tandem gateway. One ES module, no dependencies.
 *
 *   import { TandemCall } from 'https://gateway.example/tandem.js';
 *   const call = new TandemCall({ to: 'demo' });
 *   call.addEventListener('state', ({ detail }) => console.log(detail.state));
 *   call.addEventListener('ended', ({ detail }) => console.log(detail.sentence));
 *   await call.call();            // from a click, so that the browser lets sound play
 *
 * Events (CustomEvents; the data is in `detail`):
 *   state   {state, previous}     idle, connecting, ringing, connected, reconnecting, ended
 *   ended   {cause, sip_code, detail, sentence}
 *   stats   every second: see StatisticsReader
 *   levels  twenty times a second: {input, output} from 0 (silence, -60 dBFS) to 1 (full scale)
 *   error   {code, detail}        something failed and the call goes on
 *
 * A page can be called, too: see TandemUser.
 */

const SUBPROTOCOL = 'tandem.signal.v1';
/** How long the gateway may take to answer `call` with an SDP before the caller is told; ringing is not bounded here. */
const ANSWER_MILLISECONDS = 15000;
/** The contract's window for `resume`, used until `session` says otherwise. */
const RESUME_SECONDS = 30;
/** A short outage heals by itself more often than not; an ICE restart sooner than this would only disturb it. */
const RESTART_AFTER_MILLISECONDS = 1000;
const RESTART_EVERY_MILLISECONDS = 5000;
/** A resumed socket on which the gateway says nothing for this long is taken as accepted. */
const RESUME_SILENCE_MILLISECONDS = 2000;
/** The gateway's `ended` and its DTLS close_notify cross on the way; the message says why, so it gets this head start. */
const ENDED_GRACE_MILLISECONDS = 1500;
/** A refused call gets `error` and, right behind it, `ended`. */
const REFUSAL_GRACE_MILLISECONDS = 300;
const LEVEL_MILLISECONDS = 50;
const STATISTICS_MILLISECONDS = 1000;
/** RTCDTMFSender plays a tone this long with this pause between two. */
const TONE_MILLISECONDS = 100;
const TONE_GAP_MILLISECONDS = 70;
/** Messages kept while the socket is away; beyond it the oldest candidates are worth nothing. */
const OUTBOX_LIMIT = 64;
/** A user's socket that breaks is replaced after this long, then after twice that, up to the second. */
const SIGN_IN_AGAIN_MILLISECONDS = 1000;
const SIGN_IN_AGAIN_AT_MOST_MILLISECONDS = 15000;
/** SIP's Decline, and what a browser says that is given up on before it could accept. */
const DECLINED = 603;
const UNAVAILABLE = 480;
/** All a browser lets a script know of a connection that was refused, be it by the network or by the gateway's `origins`. */
const UNREACHABLE = 'The gateway could not be reached, or takes no calls from this page.';

const SENTENCES = {
  caller_hangup: 'You hung up.',
  callee_hangup: 'The other side hung up.',
  agent_hangup: 'The agent ended the call.',
  busy: 'The other side is busy.',
  no_answer: 'Nobody answered.',
  rejected: 'The other side declined the call.',
  unreachable: 'The other side could not be reached.',
  agent_unavailable: 'The agent is not available at the moment.',
  agent_lost: 'The connection to the agent was lost.',
  media_timeout: 'The call ended because no more sound arrived.',
  connection_lost: 'The connection was lost.',
  no_route: 'There is no such destination.',
  refused: 'The gateway refused the call.',
  overload: 'All lines are taken; please try again in a moment.',
  draining: 'The gateway is about to restart; please try again in a moment.',
  transferred: 'The call was handed on.',
  failed: 'The call failed.',
};

/** How a call ended, in one sentence for the person at this browser. */
export function describeEnd(cause) {
  return SENTENCES[cause] ?? SENTENCES.failed;
}

/** The cause behind an answer that refuses a call: an HTTP status, or the `code` of an `error` message. */
function causeOfStatus(status) {
  if (status === 404) return 'no_route';
  if (status === 401 || status === 403) return 'refused';
  if (status === 429 || status === 503) return 'overload';
  return 'failed';
}

/** The gateway's address as a base for its paths. */
function gatewayBase(url) {
  const base = new URL(url ?? new URL('.', import.meta.url), globalThis.location?.href);
  base.protocol = base.protocol.replace(/^ws/, 'http');
  base.search = base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

function signalURL(base) {
  const url = new URL('signal', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

/** One call to one destination; a new call takes a new object. */
export class TandemCall extends EventTarget {
  #options;
  #channel;
  #connection = null;
  #sender = null;
  #offer = null;
  #microphone = null;
  #ownsMicrophone = false;
  #audio;
  #meters = null;
  #timers = new Map();
  #work = Promise.resolve();

  #state = 'idle';
  #started = false;
  #ringing = false;
  #accepted = false;
  #answered = false;
  #mediaWasUp = false;
  #awaySince = null;
  #signalling = 'up';
  #restarting = false;
  #end = null;
  #refusal = null;
  #muted = false;
  #settle = () => {};
  #sessionKnown = false;
  #iceServers = [];
  #resumeSeconds = RESUME_SECONDS;
  #onLeave = () => this.hangUp();
  #onNetworkChange = () => this.#networkChanged();

  /**
   * @param {object} options
   * @param {string} options.to            the destination: a number, an agent or a user of the dial plan
   * @param {string} [options.incoming]    in its place: the name of an incoming call that is accepted (TandemIncoming.accept)
   * @param {string} [options.url]         the gateway; default: where this module came from
   * @param {string} [options.token]       the JWT, where the gateway wants one
   * @param {object} [options.parameters]  names and values handed to the agent
   * @param {boolean} [options.processing] false: no echo cancellation, gain control or noise suppression
   * @param {'signal'|'whip'} [options.transport] default `signal`; `whip` is plain HTTP, without ringing and messages
   * @param {HTMLAudioElement} [options.audio] where the far end is played; default: an element of its own
   * @param {MediaStream} [options.microphone] sound to send instead of the microphone; it is not stopped at the end
   */
  constructor({ to, incoming, url, token, parameters, processing = true, transport = 'signal', audio, microphone } = {}) {
    super();
    if (!incoming && (typeof to !== 'string' || to === '')) throw new TypeError('TandemCall: `to` must name a destination');
    if (incoming && transport !== 'signal') throw new TypeError('TandemCall: an incoming call is accepted by the transport `signal`');
    this.#options = { to, incoming, base: gatewayBase(url), token, parameters, processing, microphone };
    this.#audio = audio ?? new Audio();
    this.#audio.autoplay = true;
    this.#channel = transport === 'whip' ? new WhipChannel(this.#options, this.#events()) : new SignalChannel(this.#options, this.#events());
  }

  /** idle, connecting, ringing, connected, reconnecting or ended. */
  get state() { return this.#state; }
  /** How the call ended: {cause, sip_code, detail, sentence}; null before. */
  get end() { return this.#end; }
  get muted() { return this.#muted; }
  /** The far end's sound, once there is any. */
  get remoteStream() { return this.#audio.srcObject ?? null; }
  /** The RTCPeerConnection, for whoever wants to look deeper. */
  get connection() { return this.#connection; }

  /** Takes the microphone and places the call. Resolves once the gateway has answered, or the call has ended; it does not reject. */
  async call() {
    if (this.#started) throw new Error('TandemCall: a call is placed once; make a new object for the next');
    this.#started = true;
    this.#refresh();
    globalThis.addEventListener?.('pagehide', this.#onLeave);
    globalThis.addEventListener?.('online', this.#onNetworkChange);
    navigator.connection?.addEventListener?.('change', this.#onNetworkChange);
    // Made inside the click that called us: a context made later starts suspended.
    this.#meters = new Meters();
    try {
      const [stream] = await Promise.all([this.#openMicrophone(), this.#channel.open()]);
      if (this.#end) return;
      await this.#connect(stream);
    } catch (error) {
      this.#finish({ cause: error.cause_word ?? 'failed', sip_code: error.code ?? null, detail: error.message });
    }
  }

  /** Ends the call, whatever it is doing. */
  hangUp() {
    if (this.#end || !this.#started) return;
    this.#channel.hangUp();
    this.#finish({ cause: 'caller_hangup', sip_code: null, detail: '' });
  }

  /** Sends DTMF digits (0-9, A-D, *, #; a comma waits two seconds) as RFC 4733 events, or by message where those were not agreed on. */
  sendDigits(digits) {
    if (!/^[0-9A-Da-d*#,]+$/.test(digits)) throw new RangeError(`TandemCall: not DTMF digits: ${digits}`);
    if (this.#end || !this.#started) return;
    const tones = this.#sender?.dtmf;
    if (tones?.canInsertDTMF) {
      tones.insertDTMF(tones.toneBuffer + digits, TONE_MILLISECONDS, TONE_GAP_MILLISECONDS);
    } else {
      this.#channel.sendDigits(digits);
    }
  }

  /** Sends a text to the agent, beside the sound; agents that take none never see it. Not with the transport `whip`. */
  sendMessage(body, contentType = 'text/plain') {
    if (this.#started && !this.#end) this.#channel.sendMessage?.(String(body), contentType);
  }

  /** Silences the microphone, or opens it again. */
  mute(on = true) {
    this.#muted = Boolean(on);
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !this.#muted;
    if (this.#started && !this.#end) this.#channel.mute(this.#muted);
  }

  // MARK: setting up

  async #openMicrophone() {
    if (this.#options.microphone) return this.#adopt(this.#options.microphone);
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error('This page may not use the microphone: it must come over HTTPS or from localhost.');
    }
    const on = this.#options.processing;
    const audio = { echoCancellation: on, noiseSuppression: on, autoGainControl: on, channelCount: 1 };
    try {
      this.#ownsMicrophone = true;
      return this.#adopt(await navigator.mediaDevices.getUserMedia({ audio, video: false }));
    } catch (error) {
      const why = {
        NotAllowedError: 'The microphone was not allowed.',
        NotFoundError: 'There is no microphone.',
        NotReadableError: 'The microphone is in use by another program.',
      };
      throw new Error(why[error.name] ?? `The microphone could not be opened: ${error.message}`);
    }
  }

  #adopt(stream) {
    this.#microphone = stream;
    // The caller may have hung up, or muted, while the browser was asking for permission.
    if (this.#end) this.#releaseMicrophone();
    for (const track of stream.getAudioTracks()) track.enabled = !this.#muted;
    return stream;
  }

  async #connect(stream) {
    const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: this.#iceServers });
    this.#connection = connection;
    connection.onicecandidate = ({ candidate }) => { if (candidate?.candidate) this.#channel.sendCandidate(candidate); };
    connection.onconnectionstatechange = () => this.#connectionChanged();
    connection.ontrack = ({ receiver, track }) => this.#play(new MediaStream([track]), receiver);
    // On a narrow way up Chromium lowers its bitrate and makes longer packets only where it may; others do not know the word.
    const encoding = { adaptivePtime: true };
    this.#sender = connection.addTransceiver(stream.getAudioTracks()[0], { streams: [stream], sendEncodings: [encoding] }).sender;
    this.#meters.input(stream);
    this.#every('levels', LEVEL_MILLISECONDS, () => this.#emit('levels', this.#meters.read()));
    this.#offer = await connection.createOffer();
    if (this.#end) return;
    this.#after('answer', ANSWER_MILLISECONDS, () => this.#finish({ cause: 'failed', sip_code: null, detail: 'The gateway did not answer.' }));
    // The offer goes out before it is applied: the TURN servers come with the gateway's first word,
    // and candidates are gathered only with them in hand.
    const settled = new Promise((resolve) => { this.#settle = resolve; });
    await this.#channel.call(this.#offer.sdp);
    if (this.#sessionKnown) this.#inOrder(() => this.#applyOffer());
    await settled;
  }

  /** Applies our own offer once, with whatever ICE servers are known by then. */
  async #applyOffer() {
    if (!this.#offer || this.#end) return;
    const offer = this.#offer;
    this.#offer = null;
    if (this.#iceServers.length > 0) this.#connection.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: this.#iceServers });
    await this.#connection.setLocalDescription(offer);
    const transport = this.#sender.transport;
    if (transport) transport.onstatechange = () => { if (transport.state === 'closed') this.#closedByGateway(); };
  }

  #play(stream, receiver) {
    this.#audio.srcObject = stream;
    this.#meters.output(stream, receiver);
    this.#audio.play?.().catch(() => {
      // No click yet (a page that calls by itself): the next one starts the sound.
      const retry = () => { this.#audio.play().catch(() => {}); this.#meters?.resume(); };
      for (const gesture of ['pointerdown', 'keydown']) globalThis.addEventListener?.(gesture, retry, { once: true });
    });
  }

  // MARK: what the gateway says

  #events() {
    return {
      session: ({ ice_servers: servers, resume_seconds: seconds }) => this.#inOrder(async () => {
        if (Array.isArray(servers)) this.#iceServers = servers;
        if (seconds > 0) this.#resumeSeconds = seconds;
        this.#sessionKnown = true;
        await this.#applyOffer();
      }),
      answer: (sdp) => this.#inOrder(() => this.#applyAnswer(sdp)),
      candidate: (candidate) => this.#inOrder(async () => {
        if (this.#connection?.remoteDescription) await this.#connection.addIceCandidate(candidate);
      }),
      ringing: () => { this.#ringing = true; this.#refresh(); },
      connected: () => { this.#accepted = true; this.#refresh(); },
      message: (message) => this.#emit('message', message),
      ended: (end) => this.#finish({ ...end, detail: end.detail || this.#refusal?.detail }),
      error: (error) => this.#refused(error),
      lost: () => { this.#signalling = 'lost'; this.#refresh(); },
      resumed: () => {
        this.#signalling = 'up';
        this.#restarting = false;
        this.#refresh();
        if (this.#awaySince !== null) this.#restart();
      },
      gone: (error) => {
        this.#signalling = 'gone';
        if (this.#refusal && !this.#answered) return; // the refusal says more than the socket's end
        if (!this.#mediaWasUp) return this.#finish({ cause: 'connection_lost', sip_code: null, detail: error.detail });
        this.#emit('error', error);
        this.#refresh();
      },
    };
  }

  /** Descriptions and candidates are applied one after another, as they came. */
  #inOrder(step) {
    this.#work = this.#work.then(() => (this.#end ? undefined : step())).catch((error) => {
      if (!this.#answered) this.#finish({ cause: 'failed', sip_code: null, detail: error.message });
      else this.#emit('error', { code: null, detail: error.message });
    });
    return this.#work;
  }

  async #applyAnswer(sdp) {
    await this.#applyOffer();
    if (this.#connection?.signalingState !== 'have-local-offer') return;
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    this.#answered = true;
    this.#restarting = false;
    this.#stop('answer');
    this.#settle();
  }

  #refused({ code, detail }) {
    if (!this.#answered) {
      // `ended` follows where the gateway knows a better word than a status can carry.
      this.#refusal = { code, detail };
      this.#after('refusal', REFUSAL_GRACE_MILLISECONDS, () => this.#finish({ cause: causeOfStatus(code), sip_code: code, detail }));
      return;
    }
    // The call has its media; what failed was something on top of it, such as a restart.
    if (this.#restarting) {
      this.#restarting = false;
      this.#inOrder(async () => {
        if (this.#connection.signalingState === 'have-local-offer') await this.#connection.setLocalDescription({ type: 'rollback' });
      });
    }
    this.#emit('error', { code, detail });
    this.#refresh();
  }

  // MARK: the media path

  #connectionChanged() {
    if (this.#end) return;
    const state = this.#connection.connectionState;
    if (state === 'connected') {
      if (!this.#mediaWasUp) this.#repeatStatistics();
      this.#mediaWasUp = true;
      this.#awaySince = null;
      this.#stop('restart');
      this.#stop('away');
    } else if (state === 'failed' && !this.#mediaWasUp) {
      this.#finish({ cause: 'connection_lost', sip_code: null, detail: 'No path for sound could be found; a firewall may be in the way.' });
    } else if (this.#mediaWasUp && (state === 'disconnected' || state === 'failed')) {
      this.#wentAway(state === 'failed' ? 0 : RESTART_AFTER_MILLISECONDS);
    }
    this.#refresh();
  }

  #wentAway(delay) {
    if (this.#awaySince === null) {
      this.#awaySince = performance.now();
      this.#after('away', this.#resumeSeconds * 1000, () => this.#finish({
        cause: 'connection_lost', sip_code: null, detail: 'No path for sound could be found again.',
      }));
    }
    this.#after('restart', delay, () => this.#restart());
  }

  #networkChanged() {
    if (this.#end || !this.#answered) return;
    this.#channel.check();
    if (this.#signalling === 'up') this.#restart();
  }

  /** ICE restart: new candidates from the network we have now, over whatever signalling is left. */
  #restart() {
    if (this.#end || !this.#answered) return;
    if (this.#awaySince !== null) this.#after('restart', RESTART_EVERY_MILLISECONDS, () => this.#restart());
    if (this.#signalling !== 'up') return;
    if (this.#restarting) {
      // The last one was never answered: the socket is as dead as the media, even if the browser has not noticed.
      this.#restarting = false;
      this.#channel.reopen();
      return;
    }
    this.#restarting = true;
    this.#inOrder(async () => {
      if (this.#connection.signalingState !== 'stable') await this.#connection.setLocalDescription({ type: 'rollback' });
      const offer = await this.#connection.createOffer({ iceRestart: true });
      await this.#connection.setLocalDescription(offer);
      await this.#channel.restart(offer.sdp, this.#connection.remoteDescription.sdp);
    });
  }

  /** DTLS close_notify: the call is over; `ended` says why and is on its way, or, without a socket, has to be asked for. */
  #closedByGateway() {
    if (this.#end) return;
    this.#after('closed', ENDED_GRACE_MILLISECONDS, async () => {
      const end = await this.#channel.askForEnd().catch(() => null);
      this.#finish(end ?? { cause: 'connection_lost', sip_code: null, detail: 'The gateway closed the call and could not be asked why.' });
    });
  }

  #repeatStatistics() {
    const reader = new StatisticsReader(this.#connection);
    this.#every('statistics', STATISTICS_MILLISECONDS, async () => {
      const statistics = await reader.read().catch(() => null);
      if (statistics && !this.#end) this.#emit('stats', statistics);
    });
  }

  // MARK: state

  #refresh() {
    let state = 'connecting';
    if (this.#end) state = 'ended';
    else if (!this.#started) state = 'idle';
    else if (this.#signalling === 'lost' || this.#awaySince !== null) state = 'reconnecting';
    else if (this.#accepted && this.#mediaWasUp) state = 'connected';
    else if (this.#ringing) state = 'ringing';
    if (state === this.#state) return;
    const previous = this.#state;
    this.#state = state;
    this.#emit('state', { state, previous });
  }

  #finish({ cause, sip_code, detail }) {
    if (this.#end) return;
    this.#end = { cause, sip_code: sip_code ?? null, detail: detail ?? '', sentence: describeEnd(cause) };
    for (const name of [...this.#timers.keys()]) this.#stop(name);
    globalThis.removeEventListener?.('pagehide', this.#onLeave);
    globalThis.removeEventListener?.('online', this.#onNetworkChange);
    navigator.connection?.removeEventListener?.('change', this.#onNetworkChange);
    this.#connection?.close();
    this.#channel.close();
    this.#releaseMicrophone();
    this.#meters?.close();
    this.#audio.srcObject = null;
    this.#settle();
    this.#refresh();
    this.#emit('ended', this.#end);
  }

  #releaseMicrophone() {
    if (!this.#ownsMicrophone) return;
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  #after(name, milliseconds, action) {
    this.#stop(name);
    this.#timers.set(name, setTimeout(() => { this.#timers.delete(name); action(); }, milliseconds));
  }

  #every(name, milliseconds, action) {
    this.#stop(name);
    this.#timers.set(name, setInterval(action, milliseconds));
  }

  #stop(name) {
    // One call clears either kind of timer.
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** An error that knows the word the call ends with. */
function endError(cause, code, detail) {
  return Object.assign(new Error(detail), { cause_word: cause, code });
}

/** Signalling over the WebSocket `/signal`, which is resumed when it breaks. */
class SignalChannel {
  #url;
  #options;
  #events;
  #socket = null;
  #session = null;
  #resumeSeconds = RESUME_SECONDS;
  #resumeUntil = 0;
  #resuming = false;
  #timer = 0;
  #outbox = [];
  #refused = () => {};
  #closed = false;

  constructor(options, events) {
    this.#url = signalURL(options.base);
    this.#options = options;
    this.#events = events;
  }

  open() {
    return new Promise((resolve, reject) => {
      const refused = () => reject(endError('failed', null, UNREACHABLE));
      if (this.#closed) return resolve();
      this.#attach(new WebSocket(this.#url, SUBPROTOCOL), resolve, refused);
    });
  }

  call(sdp) {
    const { to, incoming, token, parameters } = this.#options;
    if (incoming) return this.#send({ type: 'accept', call: incoming, sdp, ...(token ? { token } : {}) });
    this.#send({ type: 'call', to, sdp, ...(token ? { token } : {}), ...(parameters ? { parameters } : {}) });
  }

  sendCandidate(candidate) { this.#send({ type: 'candidate', candidate: candidate.candidate }); }
  restart(sdp) { this.#send({ type: 'restart', sdp }); }
  sendDigits(digits) { this.#send({ type: 'dtmf', digits }); }
  mute(on) { this.#send({ type: 'mute', on }); }
  sendMessage(body, contentType) { this.#send({ type: 'message', content_type: contentType, body }); }
  hangUp() { this.#send({ type: 'hangup' }); }
  async askForEnd() { return null; }

  /** After a change of network: a socket that is not open now will not become so by itself. */
  check() { if (this.#resuming && !this.#socket) this.#tryAgain(0); }

  /** Gives up a socket that looks open but is not, and resumes on a new one. */
  reopen() {
    const socket = this.#socket;
    if (!socket) return;
    this.#detach();
    socket.close();
    this.#lost();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#detach();
    socket?.close(1000);
    this.#refused();
  }

  #attach(socket, opened, refused) {
    this.#socket = socket;
    this.#refused = refused;
    socket.onopen = () => { socket.onclose = () => { this.#detach(); this.#lost(); }; opened(); };
    socket.onclose = () => { this.#detach(); refused(); };
    socket.onmessage = ({ data }) => this.#receive(data);
  }

  #detach() {
    if (this.#socket) this.#socket.onopen = this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket = null;
  }

  #send(message) {
    if (this.#closed) return;
    if (this.#socket?.readyState === WebSocket.OPEN && !this.#resuming) {
      this.#socket.send(JSON.stringify(message));
    } else if (this.#outbox.length < OUTBOX_LIMIT) {
      this.#outbox.push(message);
    }
  }

  #lost() {
    if (this.#closed) return;
    if (!this.#session) {
      this.#events.gone({ code: null, detail: 'The gateway closed the connection.' });
      return;
    }
    if (!this.#resuming) {
      this.#resuming = true;
      this.#resumeUntil = performance.now() + this.#resumeSeconds * 1000;
      this.#events.lost();
    }
    this.#tryAgain(500);
  }

  #tryAgain(delay) {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (performance.now() + delay > this.#resumeUntil) {
      this.#resuming = false;
      this.#events.gone({ code: null, detail: 'The gateway could not be reached again.' });
      return;
    }
    this.#timer = setTimeout(() => {
      const socket = new WebSocket(this.#url, SUBPROTOCOL);
      this.#attach(socket, () => {
        socket.send(JSON.stringify({ type: 'resume', session: this.#session }));
        this.#timer = setTimeout(() => this.#resumed(), RESUME_SILENCE_MILLISECONDS);
      }, () => this.#tryAgain(Math.min(2000, Math.max(500, delay * 2))));
    }, delay);
  }

  #resumed() {
    clearTimeout(this.#timer);
    this.#resuming = false;
    this.#events.resumed();
    for (const message of this.#outbox.splice(0)) this.#send(message);
  }

  #receive(data) {
    let message;
    try { message = JSON.parse(data); } catch { return; }
    if (this.#resuming && message.type === 'error') {
      // The session is no longer known: the media may well go on, so the call is not ended here.
      this.#resuming = false;
      clearTimeout(this.#timer);
      const socket = this.#socket;
      this.#detach();
      socket.close(1000);
      this.#events.gone({ code: message.code ?? null, detail: message.detail ?? '' });
      return;
    }
    if (message.type === 'session') {
      this.#session = message.id;
      if (message.resume_seconds > 0) this.#resumeSeconds = message.resume_seconds;
    }
    if (this.#resuming) this.#resumed();
    switch (message.type) {
      case 'session': this.#events.session(message); break;
      case 'answer': this.#events.answer(message.sdp); break;
      case 'candidate': this.#events.candidate(candidateOf(message.candidate)); break;
      case 'ringing': this.#events.ringing(); break;
      case 'connected': this.#events.connected(); break;
      case 'message': this.#events.message({ content_type: message.content_type, body: message.body }); break;
      case 'ended': this.#events.ended(message); break;
      case 'error': this.#events.error(message); break;
      default: break; // a later gateway may say more; an older page need not understand it
    }
  }
}

/**
 * A user who can be called at this page, under a name that the dial plan's `browser` steps know:
 *
 *   const user = new TandemUser({ user: 'alice' });
 *   user.addEventListener('incoming', ({ detail: incoming }) => { … incoming.accept() … incoming.decline() … });
 *   user.signIn();
 *
 * A connection that breaks is replaced until `signOut`. Events:
 *   state     {state, previous}   signed-out, connecting, signed-in
 *   incoming  a TandemIncoming
 *   error     {code, detail}      the gateway refuses the name
 */
export class TandemUser extends EventTarget {
  #options;
  #socket = null;
  #state = 'signed-out';
  #ringing = new Map();
  #timer = 0;
  #delay = SIGN_IN_AGAIN_MILLISECONDS;
  #onNetworkChange = () => this.#again(0);

  /**
   * @param {object} options
   * @param {string} options.user     the name
   * @param {string} [options.url]    the gateway; default: where this module came from
   * @param {string} [options.token]  the JWT, where the gateway wants one
   */
  constructor({ user, url, token } = {}) {
    super();
    if (typeof user !== 'string' || user === '') throw new TypeError('TandemUser: `user` must be a name');
    this.#options = { user, base: gatewayBase(url), token };
  }

  get user() { return this.#options.user; }
  get state() { return this.#state; }
  /** Calls that ring now, the oldest first. */
  get ringing() { return [...this.#ringing.values()]; }

  signIn() {
    if (this.#state !== 'signed-out') return;
    globalThis.addEventListener?.('online', this.#onNetworkChange);
    this.#connect();
  }

  /** From here on nobody can call this page; a call that was accepted goes on. */
  signOut() {
    globalThis.removeEventListener?.('online', this.#onNetworkChange);
    clearTimeout(this.#timer);
    this.#detach()?.close(1000);
    this.#show('signed-out');
  }

  #connect() {
    this.#show('connecting');
    const { user, token, base } = this.#options;
    const socket = new WebSocket(signalURL(base), SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: 'register', user, ...(token ? { token } : {}) });
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => {
      this.#again(this.#delay);
      this.#delay = Math.min(2 * this.#delay, SIGN_IN_AGAIN_AT_MOST_MILLISECONDS);
    };
  }

  #again(delay) {
    this.#detach()?.close(1000);
    this.#show('connecting');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  /** Lets go of the socket, and of what rang by it. */
  #detach() {
    const socket = this.#socket;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    this.#socket = null;
    for (const id of [...this.#ringing.keys()]) this.#over(id, { cause: 'connection_lost', sip_code: null, detail: '' });
    return socket;
  }

  #receive(data) {
    let message;
    try { message = JSON.parse(data); } catch { return; }
    switch (message.type) {
      case 'registered':
        this.#delay = SIGN_IN_AGAIN_MILLISECONDS;
        this.#show('signed-in');
        break;
      case 'incoming': {
        const { base, token } = this.#options;
        const incoming = new TandemIncoming(message, { url: base.href, token }, {
          settled: () => this.#ringing.delete(message.call),
          decline: (code) => this.#send({ type: 'decline', call: message.call, code }),
        });
        this.#ringing.set(message.call, incoming);
        this.dispatchEvent(new CustomEvent('incoming', { detail: incoming }));
        break;
      }
      case 'ended': this.#over(message.call, message); break;
      case 'error':
        this.dispatchEvent(new CustomEvent('error', { detail: { code: message.code ?? null, detail: message.detail ?? '' } }));
        // A name that is refused now is refused again.
        if (this.#state !== 'signed-in') this.signOut();
        break;
      default: break;
    }
  }

  #over(id, end) {
    const incoming = this.#ringing.get(id);
    this.#ringing.delete(id);
    incoming?.finish(end);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #show(state) {
    if (state === this.#state) return;
    const previous = this.#state;
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, previous } }));
  }
}

/**
 * A call that rings for a user: `id`, `from` (empty where the caller has no number), `to`, `parameters`. Its event `over`
 * ({cause, sip_code, detail, sentence}) says that it can no longer be accepted here; it does not come after `accept` and `decline`.
 */
export class TandemIncoming extends EventTarget {
  #gateway;
  #user;
  #isSettled = false;

  constructor({ call, from, to, parameters }, gateway, user) {
    super();
    Object.assign(this, { id: call, from: from ?? '', to: to ?? '', parameters: parameters ?? {} });
    this.#gateway = gateway;
    this.#user = user;
  }

  /**
   * Takes the call.
   * @param {object} [options] as for TandemCall, where they concern sound
   * @returns {TandemCall} to be started by its `call()`, from a click or a key; null when it is too late
   */
  accept(options = {}) {
    if (!this.#settle()) return null;
    const call = new TandemCall({ ...options, ...this.#gateway, incoming: this.id });
    // Of a call that was accepted nothing is declined any more; one that never got so far must not ring on.
    call.addEventListener('ended', () => this.#user.decline(UNAVAILABLE), { once: true });
    return call;
  }

  /** Declines for the user at every browser; with 486 (busy) or 480 for this one only. */
  decline(code = DECLINED) {
    if (this.#settle()) this.#user.decline(code);
  }

  /** The gateway says that it is over. */
  finish({ cause, sip_code: code, detail }) {
    if (!this.#settle()) return;
    const end = { cause, sip_code: code ?? null, detail: detail ?? '', sentence: describeEnd(cause) };
    this.dispatchEvent(new CustomEvent('over', { detail: end }));
  }

  #settle() {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#user.settled();
    return true;
  }
}

/** A candidate as the gateway may write it: the line itself, or the object browsers make of it. */
function candidateOf(candidate) {
  return typeof candidate === 'string' ? { candidate, sdpMid: '0', sdpMLineIndex: 0 } : candidate;
}

/** Signalling over WHIP (RFC 9725): an offer by POST, candidates and ICE restarts by PATCH, the end by DELETE. */
class WhipChannel {
  #options;
  #events;
  #session = null;
  #entityTag = null;
  #credentials = '';
  #candidates = [];
  #timer = 0;
  #closed = false;

  constructor(options, events) {
    this.#options = options;
    this.#events = events;
  }

  async open() {}

  async call(sdp) {
    const url = new URL(`whip/${encodeURIComponent(this.#options.to)}`, this.#options.base);
    for (const [name, value] of Object.entries(this.#options.parameters ?? {})) url.searchParams.append(name, value);
    const response = await this.#fetch(url, 'POST', sdp, { 'Content-Type': 'application/sdp' }).catch(() => {
      throw endError('failed', null, UNREACHABLE);
    });
    if (response.status !== 201) {
      const problem = await response.json().catch(() => ({}));
      throw endError(problem.cause ?? causeOfStatus(response.status), response.status, problem.detail ?? problem.title ?? '');
    }
    this.#session = new URL(response.headers.get('Location'), url);
    if (this.#closed) { this.#delete(); return; }
    this.#entityTag = response.headers.get('ETag');
    this.#credentials = iceCredentials(sdp);
    const answer = await response.text();
    this.#events.session({ ice_servers: iceServersOf(response.headers.get('Link')) });
    await this.#events.answer(answer);
    // Ringback and failure tones are sound here: the far end's answer cannot be told from them.
    this.#events.connected();
    if (this.#candidates.length > 0) this.#scheduleCandidates();
  }

  sendCandidate(candidate) {
    this.#candidates.push(candidate.candidate);
    if (this.#session) this.#scheduleCandidates();
  }

  async restart(offer, oldAnswer) {
    this.#credentials = iceCredentials(offer);
    const response = await this.#patch(fragment(this.#credentials, []), '*');
    if (response?.status !== 200) {
      this.#events.error({ code: response?.status ?? null, detail: 'The gateway did not take the ICE restart.' });
      return;
    }
    this.#entityTag = response.headers.get('ETag') ?? this.#entityTag;
    // Inside the ordered work of the call: the answer is queued behind it, not awaited.
    this.#events.answer(withFragment(oldAnswer, await response.text()));
  }

  sendDigits() { this.#events.error({ code: null, detail: 'Digits were not agreed on with the gateway.' }); }
  mute() {}
  check() {}
  reopen() {}
  hangUp() { if (this.#session) this.#delete(); }
  close() { this.#closed = true; clearTimeout(this.#timer); }

  /** A session that is over answers 410 with its cause for a minute. */
  async askForEnd() {
    const response = await this.#delete();
    return response?.status === 410 ? response.json() : null;
  }

  /** `keepalive`: the request outlives the page that is being left. */
  #delete() { return this.#fetch(this.#session, 'DELETE', null, {}, true).catch(() => null); }

  /** Candidates come in bursts: one request for each burst. */
  #scheduleCandidates() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#patch(fragment(this.#credentials, this.#candidates.splice(0)), this.#entityTag), 100);
  }

  #patch(body, entityTag) {
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', ...(entityTag ? { 'If-Match': entityTag } : {}) };
    return this.#fetch(this.#session, 'PATCH', body, headers).catch(() => null);
  }

  #fetch(url, method, body, headers, keepalive = false) {
    const { token } = this.#options;
    return fetch(url, { method, body, keepalive, headers: { ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) } });
  }
}

/** The lines of a description that name its ICE credentials. */
function iceCredentials(sdp) {
  return ['a=ice-ufrag:', 'a=ice-pwd:'].map((name) => sdp.split(/\r?\n/).find((line) => line.startsWith(name))).join('\r\n');
}

/** A fragment of RFC 8840: credentials, and the candidates of the one audio line. */
function fragment(credentials, candidates) {
  const lines = [credentials, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ...candidates.map((line) => `a=${line}`)];
  return `${lines.join('\r\n')}\r\n`;
}

/** The old answer with a restart's new credentials and, where it has any, candidates. */
function withFragment(answer, text) {
  const isIce = (line) => /^a=(ice-ufrag|ice-pwd):/.test(line);
  const isCandidate = (line) => /^a=(candidate:|end-of-candidates)/.test(line);
  const fresh = text.split(/\r?\n/);
  const candidates = fresh.filter(isCandidate);
  const kept = answer.split(/\r?\n/).filter((line) => line && !isIce(line) && !(candidates.length > 0 && isCandidate(line)));
  const index = kept.findIndex((line) => line.startsWith('m='));
  let end = kept.findIndex((line, at) => at > index && line.startsWith('m='));
  if (end < 0) end = kept.length;
  kept.splice(end, 0, ...fresh.filter(isIce), ...candidates);
  return `${kept.join('\r\n')}\r\n`;
}

/** `Link: <turn:…>; rel="ice-server"; username="…"; credential="…"` (RFC 9725 section 4.6). */
function iceServersOf(link) {
  const servers = [];
  for (const [, urls, attributes] of (link ?? '').matchAll(/<([^>]*)>((?:[^",<]|"[^"]*")*)/g)) {
    const value = (name) => new RegExp(`;\\s*${name}="?([^";]*)"?`, 'i').exec(attributes)?.[1];
    if (value('rel') !== 'ice-server') continue;
    const username = value('username');
    servers.push(username ? { urls, username, credential: value('credential') } : { urls });
  }
  return servers;
}

/** How loud both directions are. */
class Meters {
  #context = null;
  #input = null;
  #output = null;
  #receiver = null;

  constructor() {
    // A browser without Web Audio still makes calls.
    try { this.#context = new AudioContext(); } catch { return; }
    this.resume();
  }

  input(stream) { this.#input ??= this.#analyser(stream); }

  output(stream, receiver) {
    this.#output ??= this.#analyser(stream);
    this.#receiver = receiver;
  }

  read() {
    if (this.#context?.state === 'running') return { input: this.#level(this.#input), output: this.#level(this.#output) };
    // Firefox on a machine without a sound card, or sound not yet allowed by a click: the receiver at least has an opinion.
    const source = this.#receiver?.getSynchronizationSources?.()[0];
    return { input: 0, output: scale((source?.audioLevel ?? 0) ** 2) };
  }

  resume() { this.#context?.resume().catch(() => {}); }

  close() {
    this.#context?.close().catch(() => {});
    this.#context = null;
  }

  #analyser(stream) {
    if (!this.#context) return null;
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 2048;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    return { analyser, samples: new Float32Array(analyser.fftSize) };
  }

  /** The mean power over some 40 ms. */
  #level(meter) {
    if (!meter) return 0;
    meter.analyser.getFloatTimeDomainData(meter.samples);
    return scale(meter.samples.reduce((sum, sample) => sum + sample * sample, 0) / meter.samples.length);
  }
}

/** Power relative to full scale as 0 (-60 dB and below) to 1. */
function scale(power) {
  return power > 0 ? Math.min(1, Math.max(0, 1 + (10 * Math.log10(power)) / 60)) : 0;
}

/**
 * What getStats knows, as numbers a person asks for. Rates and losses are of the last second; null is not known (yet):
 *   round_trip, jitter (milliseconds) · loss_in, loss_out (0 to 1) · bitrate_in, bitrate_out (bits a second)
 *   packets_received, packets_sent, packets_lost · concealed (share of the sound played that was made up) · codec · path
 */
class StatisticsReader {
  #connection;
  #last = null;

  constructor(connection) { this.#connection = connection; }

  async read() {
    const report = await this.#connection.getStats();
    const of = (type) => [...report.values()].filter((entry) => entry.type === type && (entry.kind ?? 'audio') === 'audio');
    const inbound = of('inbound-rtp')[0];
    const outbound = of('outbound-rtp')[0];
    const remote = of('remote-inbound-rtp')[0];
    const pair = this.#selectedPair(report, of);
    const now = {
      at: inbound?.timestamp ?? outbound?.timestamp ?? performance.now(),
      received: inbound?.packetsReceived ?? 0, lost: inbound?.packetsLost ?? 0, bytesIn: inbound?.bytesReceived ?? 0,
      sent: outbound?.packetsSent ?? 0, bytesOut: outbound?.bytesSent ?? 0,
      samples: inbound?.totalSamplesReceived ?? 0, concealed: inbound?.concealedSamples ?? 0,
    };
    const last = this.#last;
    this.#last = now;
    const milliseconds = (seconds) => (seconds === undefined ? null : seconds * 1000);
    const rate = (name) => (last && now.at > last.at ? ((now[name] - last[name]) * 8000) / (now.at - last.at) : null);
    const share = (part, whole) => (last && whole > 0 ? Math.min(1, Math.max(0, part / whole)) : null);
    const lost = last ? Math.max(0, now.lost - last.lost) : 0;
    return {
      round_trip: milliseconds(pair?.currentRoundTripTime ?? remote?.roundTripTime),
      jitter: milliseconds(inbound?.jitter),
      loss_in: share(lost, lost + now.received - (last?.received ?? 0)),
      loss_out: remote?.fractionLost ?? null,
      bitrate_in: rate('bytesIn'), bitrate_out: rate('bytesOut'),
      packets_received: now.received, packets_sent: now.sent, packets_lost: now.lost,
      concealed: share(now.concealed - (last?.concealed ?? 0), now.samples - (last?.samples ?? 0)),
      codec: this.#codec(report.get(inbound?.codecId ?? outbound?.codecId)),
      path: this.#path(report, pair),
    };
  }

  /** Chrome names the pair in the transport, Firefox marks it. */
  #selectedPair(report, of) {
    const named = of('transport').map((transport) => report.get(transport.selectedCandidatePairId)).find(Boolean);
    const pairs = of('candidate-pair');
    return named ?? pairs.find((pair) => pair.selected) ?? pairs.find((pair) => pair.nominated && pair.state === 'succeeded');
  }

  #codec(codec) {
    return codec ? `${codec.mimeType.replace(/^audio\//, '').replace('opus', 'Opus')} ${codec.clockRate / 1000} kHz` : null;
  }

  #path(report, pair) {
    const local = report.get(pair?.localCandidateId);
    return local ? `${local.candidateType === 'relay' ? 'TURN' : 'direct'} ${local.protocol}` : null;
  }
}
