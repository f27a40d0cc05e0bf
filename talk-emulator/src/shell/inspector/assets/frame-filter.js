// The filter of the frame list.
import { el, labelled } from './dom.js';
import { isAcknowledgement } from './frame-row.js';

const STATUS = {
  any: () => true,
  ok: (status) => status >= 200 && status < 300,
  refused: (status) => status >= 400 && status < 500,
  failed: (status) => status >= 500,
};

const contains = (value, part) =>
  value !== null && value !== undefined && String(value).toLowerCase().includes(part);

/** Returns `true` if an item passes. Notes about the stream always pass. */
export function matches(item, { text, user, direction, status, pings }) {
  if (item.note !== undefined) return true;
  if (direction !== 'any' && item.direction !== direction) return false;
  if (status !== 'any' && !STATUS[status](item.status ?? 0)) return false;
  if (!pings && (item.kind === 'ping' || isAcknowledgement(item))) return false;
  if (user !== '' && !contains(item.user, user)) return false;
  if (text === '') return true;
  return [item.text, item.path, item.method, item.app].some((value) => contains(value, text));
}

const select = (label, name, options) => {
  const items = options.map(([value, text]) => el('option', { value }, text));
  return labelled(label, el('select', { name }, items));
};

/** Creates the form of the filter. `onChange` receives its values. */
export function filterForm(onChange) {
  const text = el('input', {
    type: 'search',
    name: 'text',
    id: 'frame-search',
    autocomplete: 'off',
  });
  const user = el('input', { type: 'search', name: 'user', autocomplete: 'off' });
  const form = el(
    'form',
    { class: 'filter', role: 'search', 'aria-label': 'Filter' },
    labelled('Text', text),
    labelled('User', user),
    select('Direction', 'direction', [
      ['any', 'any'],
      ['in', 'from clients'],
      ['out', 'to clients'],
    ]),
    select('Status', 'status', [
      ['any', 'any'],
      ['ok', '2xx'],
      ['refused', '4xx'],
      ['failed', '5xx'],
    ]),
    el(
      'label',
      { class: 'check' },
      el('input', { type: 'checkbox', name: 'pings', checked: true }),
      'Pings and ACKs',
    ),
  );
  const values = () => {
    const data = new FormData(form);
    return {
      text: data.get('text').toLowerCase(),
      user: data.get('user').toLowerCase(),
      direction: data.get('direction'),
      status: data.get('status'),
      pings: data.has('pings'),
    };
  };
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', () => onChange(values()));
  return { form, values };
}
