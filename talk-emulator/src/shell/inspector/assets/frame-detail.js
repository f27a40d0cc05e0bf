// The selected frame.
import { button, el, fill } from './dom.js';
import { copyWithFeedback } from './clipboard.js';
import { dateTime, size, timeOfDay } from './format.js';
import { isAnswer } from './frame-store.js';
import { jsonView } from './json-view.js';
import { summaryOf } from './frame-row.js';

/** Returns the parsed text of a frame with its attributes, as JSON text. */
export function frameJson(frame) {
  let text = frame.text;
  try {
    text = JSON.parse(frame.text);
  } catch {
    // A cut frame is kept as text.
  }
  return JSON.stringify({ ...frame, text }, null, 2);
}

/** The path of an HTTP request: its base, its app, the path after the app and the query. */
const HTTP_PATH = /^\/(?:public_api\/v1|api\/v0|v1)\/[^/?]+([^?]*)/;

/** Returns the path by which faults find a request, or `undefined` if they do not apply to it. */
const faultPath = ({ kind, path }) => (kind === 'http' ? HTTP_PATH.exec(path)?.[1] : path);

function faultLink(frame) {
  const path = faultPath(frame);
  if (frame.direction !== 'in' || path === undefined) return null;
  const query = new URLSearchParams();
  if (frame.user) query.set('user', frame.user);
  query.set('path', path);
  return el('a', { href: `#faults?${query}` }, 'Inject a fault here');
}

/** Shows a frame, or a hint if there is none. `counterpart` is its request or its answer. */
export function showFrame(element, frame, counterpart, select) {
  if (frame === null) {
    fill(element, el('p', { class: 'empty' }, 'Select a frame to see its content.'));
    return;
  }
  if (frame.note !== undefined) {
    fill(element, el('p', { class: 'empty' }, frame.note));
    return;
  }
  const facts = [
    ['Date', dateTime(frame.at).slice(0, 10)],
    ['Time', timeOfDay(frame.at)],
    ['Direction', frame.direction === 'in' ? 'from client' : 'to client'],
    ['App', frame.app],
    ['User', frame.user],
    ['Connection', frame.connection],
    ['Request', frame.id],
    ['Status', frame.status],
    ['Duration', frame.ms === undefined || frame.ms === null ? null : `${frame.ms} ms`],
    ['Size', size(frame.bytes ?? 0) + (frame.cut ? ' (cut)' : '')],
  ].filter(([, value]) => value !== null && value !== undefined && value !== '');
  const copyButton = button('Copy frame', () => copyWithFeedback(copyButton, frameJson(frame)));
  fill(
    element,
    el('h3', {}, `${frame.method ?? ''} ${summaryOf(frame)}`.trim()),
    el(
      'dl',
      { class: 'facts' },
      facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
    ),
    el(
      'p',
      { class: 'actions' },
      copyButton,
      counterpart !== undefined &&
        button(isAnswer(frame) ? 'Show request' : 'Show answer', () => select(counterpart)),
      faultLink(frame),
    ),
    jsonView(frame.text ?? '', 'Content of the frame'),
  );
}
