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

/** Returns the type of the first event of a publication: `message.created`. */
function eventOf(frame) {
  if (frame.kind !== 'event') return undefined;
  return /"type":"([\w.]+)"/.exec(frame.text ?? '')?.[1];
}

/** Returns the summary of a frame: its path, its event or its kind. */
export const summaryOf = (frame) => frame.path ?? eventOf(frame) ?? frame.kind ?? '';

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
    cell('method', frame.method ?? (frame.kind === 'event' ? 'EVENT' : '')),
    cell('path', summaryOf(frame)),
    cell(`code ${statusClass(frame.status)}`, frame.status ?? ''),
    cell('ms', hasTime ? `${frame.ms} ms` : ''),
  ];
}
