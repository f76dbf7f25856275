/** The demo page: binds the elements to one TandemCall at a time. Everything about calls is in tandem.js. */
import { TandemCall } from './tandem.js';

const element = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const secret = new URLSearchParams(location.hash.slice(1)); // behind the #, where no server's log sees it
const processing = query.get('processing') !== 'off';
const HISTORY_POINTS = 400; // twenty seconds, a point for each of the library's levels

let call = null;
let connectedAt = 0;
let history = [];

function place() {
  const to = element('destination').value.trim();
  if (call && call.state !== 'ended') return;
  if (!to) { element('destination').focus(); return; }
  forget();
  call = new TandemCall({
    to, processing, audio: element('remote-audio'),
    token: secret.get('token') ?? undefined,
    transport: query.get('transport') === 'whip' ? 'whip' : 'signal',
  });
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
if (query.has('to')) element('destination').value = query.get('to');
drawHistory();
// Only in a browser under test: else a link could make anybody's browser, once it has the microphone, call anywhere.
if (query.get('autocall') === '1' && navigator.webdriver) place();
