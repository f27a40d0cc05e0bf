// A row of the frame list.
import { el } from './dom.js';
import { timeOfDay } from './format.js';

/** Returns the class of a status. */
export const statusClass = (status) =>
  status === undefined || status === null
    ? ''
    : status < 400
      ? 'ok'
      : status < 500
        ? 'warn'
        : 'bad';

/** Returns the type and the conversation of the first event: `message.created lobby`. */
function eventOf(frame) {
  if (frame.kind !== 'event') return undefined;
  const text = frame.text ?? '';
  const type = /"type":"([a-z]+(?:\.[a-z]+)+)"/.exec(text)?.[1];
  const conversation = /"conversationId":("(?:\\.|[^"\\])*")/.exec(text)?.[1];
  if (type === undefined || conversation === undefined) return type;
  return `${type} ${JSON.parse(conversation)}`;
}

/** Returns the number of an acknowledgement as text: `3`. */
const acknowledged = (frame) => /^\[(\d+),"ACK"\]$/.exec(frame.text ?? '')?.[1];

/** Returns `true` if a frame acknowledges events. */
export const isAcknowledgement = (frame) =>
  frame.kind === 'other' && acknowledged(frame) !== undefined;

/** Returns the summary of a frame: its path, its event or its kind. */
export const summaryOf = (frame) =>
  frame.path ?? eventOf(frame) ?? acknowledged(frame) ?? frame.kind ?? '';

/** Returns the method of a request, `EVENT`, `ACK` or nothing. */
function methodOf(frame) {
  if (frame.method) return frame.method;
  if (frame.kind === 'event') return 'EVENT';
  return isAcknowledgement(frame) ? 'ACK' : '';
}

/** Creates the content of a row. */
export function rowContent(frame) {
  const isIn = frame.direction === 'in';
  const cell = (name, ...content) => el('span', { class: `cell ${name}` }, ...content);
  const hasTime = frame.ms !== undefined && frame.ms !== null;
  return [
    cell('time', timeOfDay(frame.at)),
    cell(
      `arrow ${isIn ? 'in' : 'out'}`,
      el('span', { 'aria-hidden': 'true' }, isIn ? '→' : '←'),
      el('span', { class: 'hidden' }, isIn ? 'from client' : 'to client'),
    ),
    cell('user', frame.user ?? ''),
    cell('id', frame.id ?? ''),
    cell('method', methodOf(frame)),
    cell('path', summaryOf(frame)),
    cell(`code ${statusClass(frame.status)}`, frame.status ?? ''),
    cell('ms', hasTime ? `${frame.ms} ms` : ''),
  ];
}
