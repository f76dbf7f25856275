/** The demo page: binds the elements to one TandemCall at a time, and to one TandemUser. Everything about calls is in tandem.js. */
import { TandemCall, TandemUser } from './tandem.js';

const element = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const secret = new URLSearchParams(location.hash.slice(1)); // behind the #, where no server's log sees it
const processing = query.get('processing') !== 'off';
const { title } = document;
const HISTORY_POINTS = 400; // twenty seconds, a point for each of the library's levels

let call = null;
let connectedAt = 0;
let history = [];
let user = null;
let incoming = null;
let ringer = null;

function place() {
  const to = element('destination').value.trim();
  if (call && call.state !== 'ended') return;
  if (!to) { element('destination').focus(); return; }
  begin(new TandemCall({
    to, processing, audio: element('remote-audio'),
    token: secret.get('token') ?? undefined,
    transport: query.get('transport') === 'whip' ? 'whip' : 'signal',
  }));
}

function begin(next) {
  forget();
  call = next;
  // In the console and in tests the call at hand is worth having.
  globalThis.tandemCall = call;
  call.addEventListener('state', ({ detail }) => show(detail.state));
  call.addEventListener('ended', ({ detail }) => showEnd(detail));
  call.addEventListener('stats', ({ detail }) => showStatistics(detail));
  call.addEventListener('levels', ({ detail }) => showLevels(detail));
  call.addEventListener('error', ({ detail }) => { element('notice').textContent = detail.detail; });
  call.call();
}

/** The last call's traces go when the next one begins, not when it ends: one wants to read them. */
function forget() {
  for (const id of ['cause', 'notice', 'digits']) element(id).textContent = '';
  for (const id of ['rtt', 'jitter', 'loss', 'bitrate', 'codec', 'path']) element(id).textContent = '–';
  delete element('cause').dataset.cause;
  delete element('cause').dataset.sipCode;
  showMuted(false);
  connectedAt = 0;
  history = [];
  showTimer();
}

// MARK: showing

function show(state) {
  document.body.dataset.state = state;
  element('state').textContent = state;
  const busy = state !== 'idle' && state !== 'ended';
  const hadFocus = document.activeElement;
  element('destination').disabled = busy;
  element('call').disabled = busy;
  element('hangup').disabled = !busy;
  element('mute').disabled = !busy;
  for (const chip of document.querySelectorAll('[data-destination]')) chip.disabled = busy;
  // A disabled button loses the keyboard: hand it to the one that is now of use.
  if (busy && (hadFocus === element('call') || hadFocus === element('destination'))) element('hangup').focus();
  if (!busy && (hadFocus === element('hangup') || hadFocus === element('mute'))) element('call').focus();
  if (state === 'connected' && !connectedAt) connectedAt = performance.now();
  if (state === 'ended') showLevels({ input: 0, output: 0 });
}

function showEnd({ cause, sip_code: code, detail, sentence }) {
  showTimer();
  connectedAt = 0;
  const line = element('cause');
  line.textContent = sentence;
  line.dataset.cause = cause;
  if (code) line.dataset.sipCode = code;
  const more = [detail !== sentence ? detail : '', code >= 300 ? `(${code})` : ''].filter(Boolean).join(' ');
  if (more) line.append(' ', Object.assign(document.createElement('small'), { textContent: more }));
}

function showStatistics(statistics) {
  const number = (value, unit, digits = 0) => (value === null ? '–' : `${value.toFixed(digits)}${unit}`);
  const both = (inward, outward, scale, unit, digits) => (inward ?? outward) === null ? '–' :
    `${number(inward === null ? null : inward * scale, '', digits)} / ${number(outward === null ? null : outward * scale, '', digits)}${unit}`;
  element('rtt').textContent = number(statistics.round_trip, ' ms', statistics.round_trip < 10 ? 1 : 0);
  element('jitter').textContent = number(statistics.jitter, ' ms', 1);
  element('loss').textContent = both(statistics.loss_in, statistics.loss_out, 100, ' %', 1);
  element('bitrate').textContent = both(statistics.bitrate_in, statistics.bitrate_out, 0.001, ' kbit/s', 0);
  element('codec').textContent = statistics.codec ?? '–';
  element('path').textContent = statistics.path ?? '–';
}

function showLevels({ input, output }) {
  for (const [name, level] of [['input', input], ['output', output]]) {
    element(`${name}-level`).value = level;
    element(`${name}-bar`).style.setProperty('--level', level.toFixed(3));
  }
  history.push([input, output]);
  if (history.length > HISTORY_POINTS) history.shift();
  drawHistory();
}

/** You above the line, the far end below it. */
function drawHistory() {
  const canvas = element('history');
  const context = canvas.getContext('2d');
  const style = getComputedStyle(document.documentElement);
  const { width, height } = canvas;
  const middle = height / 2;
  const step = width / HISTORY_POINTS;
  context.clearRect(0, 0, width, height);
  context.fillStyle = style.getPropertyValue('--rule');
  context.fillRect(0, middle - 0.5, width, 1);
  for (const [direction, colour] of [[0, '--accent'], [1, '--far']]) {
    context.fillStyle = style.getPropertyValue(colour);
    history.forEach((levels, index) => {
      const bar = levels[direction] * (middle - 6);
      const x = width - (history.length - index) * step;
      context.fillRect(x, direction === 0 ? middle - 1 - bar : middle + 1, Math.max(1, step - 0.4), bar);
    });
  }
}

function showTimer() {
  const seconds = connectedAt ? Math.floor((performance.now() - connectedAt) / 1000) : 0;
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3600);
  element('timer').textContent = hours ? `${hours}:${parts[0]}:${parts[1]}` : `${Number(parts[0])}:${parts[1]}`;
}

function showMuted(on) {
  element('mute').setAttribute('aria-pressed', String(on));
  element('mute').querySelector('span').textContent = on ? 'Muted' : 'Mute';
}

// MARK: being called

function signIn() {
  const name = element('user').value.trim();
  if (user && user.state !== 'signed-out') return user.signOut();
  if (!name) return element('user').focus();
  user = new TandemUser({ user: name, token: secret.get('token') ?? undefined });
  user.addEventListener('state', ({ detail }) => showUser(detail.state));
  user.addEventListener('error', ({ detail }) => { element('notice').textContent = detail.detail; });
  user.addEventListener('incoming', ({ detail }) => offer(detail));
  user.signIn();
}

function showUser(state) {
  element('user-state').textContent = state === 'signed-in' ? `signed in as ${user.user}` : state.replace('-', ' ');
  element('user-state').dataset.state = state;
  element('user').disabled = state !== 'signed-out';
  element('sign-in').textContent = state === 'signed-out' ? 'Sign in' : 'Sign out';
}

/** One call at a time: for a second one this page is busy. */
function offer(next) {
  if (incoming || (call && !['idle', 'ended'].includes(call.state))) return next.decline(486);
  incoming = next;
  element('incoming-caller').textContent = `${next.from || 'Somebody'} calls ${next.to}.`;
  element('incoming').hidden = false;
  document.title = `Incoming call: ${next.from || 'somebody'}`;
  ring(true);
  // Whoever is typing goes on typing; anybody else answers with Enter.
  if (!document.activeElement?.matches('input')) element('accept').focus();
  next.addEventListener('over', ({ detail }) => {
    element('notice').textContent = `You were called by ${next.from || 'somebody'}. ${detail.cause === 'transferred' ? 'Another browser took the call.' : ''}`;
    closeOffer();
  });
}

function closeOffer() {
  const hadFocus = element('incoming').contains(document.activeElement);
  incoming = null;
  element('incoming').hidden = true;
  document.title = title;
  ring(false);
  if (hadFocus) element('call').focus();
}

function accept() {
  const next = incoming?.accept({ processing, audio: element('remote-audio') });
  if (!next) return;
  closeOffer();
  begin(next);
  element('hangup').focus();
}

function decline() {
  incoming?.decline();
  closeOffer();
}

/** Two seconds of a bell in six, for two minutes. */
function ring(on) {
  ringer?.close();
  ringer = null;
  if (!on) return;
  ringer = new AudioContext();
  const volume = ringer.createGain();
  volume.gain.value = 0;
  volume.connect(ringer.destination);
  for (const hertz of [440, 480]) {
    const tone = new OscillatorNode(ringer, { frequency: hertz });
    tone.connect(volume);
    tone.start();
  }
  for (let second = 0; second < 120; second += 6) {
    volume.gain.setValueAtTime(0.08, ringer.currentTime + second);
    volume.gain.setValueAtTime(0, ringer.currentTime + second + 2);
  }
}

// MARK: acting

function press(digit) {
  if (call && call.state !== 'ended') {
    call.sendDigits(digit);
    element('digits').textContent += digit;
  } else {
    element('destination').value += digit;
  }
}

function toggleMute() {
  if (!call || call.state === 'ended') return;
  call.mute(!call.muted);
  showMuted(call.muted);
}

element('dial').addEventListener('submit', (event) => { event.preventDefault(); place(); });
element('callable').addEventListener('submit', (event) => { event.preventDefault(); signIn(); });
element('accept').addEventListener('click', accept);
element('decline').addEventListener('click', decline);
element('hangup').addEventListener('click', () => call?.hangUp());
element('mute').addEventListener('click', toggleMute);
element('keypad').addEventListener('click', ({ target }) => {
  const digit = target.closest('[data-digit]')?.dataset.digit;
  if (digit) press(digit);
});
for (const chip of document.querySelectorAll('[data-destination]')) {
  chip.addEventListener('click', () => {
    element('destination').value = chip.dataset.destination;
    element('call').focus();
  });
}

document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input, textarea, select');
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === 'Escape') call?.hangUp();
  else if (typing) return;
  else if (/^[0-9*#]$/.test(event.key)) {
    press(event.key);
    flash(event.key);
  } else if (event.key === 'm' || event.key === 'M') toggleMute();
});

/** A key typed shows on the keypad like a key pressed. */
function flash(digit) {
  const key = [...document.querySelectorAll('[data-digit]')].find((button) => button.dataset.digit === digit);
  key?.animate?.([{ transform: 'scale(0.94)' }, { transform: 'none' }], 150);
}

setInterval(() => { if (connectedAt) showTimer(); }, 250);
element('sample').textContent = `<script type="module">
  import { TandemCall } from '${new URL('tandem.js', location.href)}';

  const call = new TandemCall({ to: 'demo' });
  call.addEventListener('ended', ({ detail }) =>
    alert(detail.sentence));
  button.onclick = () => call.call();
</script>`;
element('processing').textContent = processing ? '' : 'Microphone processing is off: no echo cancellation, gain control or noise suppression.';
if (query.has('user')) {
  element('user').value = query.get('user');
  element('be-called').open = true;
}
if (query.has('to')) element('destination').value = query.get('to');
drawHistory();
// Only in a browser under test: else a link could make anybody's browser, once it has the microphone, call anywhere.
if (query.get('autocall') === '1' && navigator.webdriver) place();
