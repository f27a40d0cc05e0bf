// The page with the form of a fault, and the armed and struck faults.
import { button, el, fill, refill, table } from './dom.js';
import { confirmAction } from './dialog.js';
import { dateTime, path } from './format.js';
import { field, pageForm } from './form.js';
import { given } from './patch.js';
import { keepFresh } from './refresh.js';
import { onClick } from './action.js';
import { perform, read } from './api.js';

/** The kinds and their meanings, in the order of the choice. */
const KINDS = new Map([
  [
    'drop',
    'Cuts the connection without a close frame. A request that triggers it is processed but not answered.',
  ],
  ['stall', 'Keeps the connection open, but neither sends nor receives.'],
  ['slow', 'Delays the answer, and everything after it on the connection.'],
  ['unanswered', 'Leaves the request unanswered and does not process it.'],
  ['401', 'Refuses the request with status 401.'],
  ['429', 'Refuses the request with status 429.'],
  ['500', 'Refuses the request with status 500.'],
  ['restart', 'Announces a restart to all connections and closes them.'],
  ['token_expiry', 'Expires the session: the client receives 401 until it renews.'],
  [
    'webhook_reorder',
    'Delivers a webhook after the next one of the same user or conversation, or after the delay.',
  ],
  ['webhook_duplicate', 'Delivers a webhook twice.'],
  ['webhook_delay', 'Delays a webhook, and the later ones of the same user or conversation.'],
  ['webhook_drop', 'Discards a webhook without an attempt to deliver it.'],
  ['batch_shuffle', 'Runs the operations of a batch of the REST API in random order.'],
]);

const describe = ({ user, path, times = 1, after_ms: ms, after_bytes: bytes }) => [
  user ?? 'all users',
  path ?? 'all paths',
  String(times),
  ms === undefined ? '–' : `${ms} ms`,
  bytes === undefined ? '–' : `${bytes} bytes`,
];

const ARMED = ['Kind', 'User', 'Path', 'Times', 'After', 'After bytes'];
const STRUCK = ['Time', 'Kind', 'Connection', 'Path or webhook', 'User'];

function faultForm(query, reload) {
  const meaning = el('p', { class: 'empty', id: 'fault-meaning' });
  const number = { type: 'number', min: '0', inputmode: 'numeric' };
  const form = pageForm(
    'Inject a fault',
    [
      field({
        name: 'kind',
        label: 'Kind',
        type: 'select',
        options: [...KINDS.keys()],
        value: query.get('kind') ?? (query.has('path') ? '500' : 'drop'),
        'aria-describedby': 'fault-meaning',
      }),
      field({ name: 'user', label: 'User', value: query.get('user'), placeholder: 'all users' }),
      field({
        name: 'path',
        label: 'Path begins with',
        value: query.get('path'),
        placeholder: 'all paths',
      }),
      field({ name: 'times', label: 'Times', ...number, min: '1', value: '1', required: true }),
      field({ name: 'after_ms', label: 'After ms', ...number }),
      field({ name: 'after_bytes', label: 'After bytes of an upload', ...number }),
      meaning,
    ],
    'Inject',
    async (values) => {
      await perform('POST', 'faults', given(values));
      await reload();
    },
  );
  const explain = () => {
    const kind = form.elements.kind.value;
    const isWebhook = kind.startsWith('webhook_');
    const isBatch = kind === 'batch_shuffle';
    const { user, path: of, after_bytes: bytes } = form.elements;
    user.disabled = bytes.disabled = isWebhook || isBatch;
    of.disabled = isBatch;
    const hint = isWebhook ? ' The path is the type, such as message.sent.' : '';
    fill(meaning, KINDS.get(kind) + hint);
  };
  form.addEventListener('input', explain);
  explain();
  return form;
}

function mount(root, { stream, query }) {
  const armed = el('div', {});
  const struck = el('div', {});
  const disarm = button(
    'Disarm all',
    onClick(async () => {
      if (!(await confirmAction('Disarm all', 'All armed faults are removed.'))) return;
      await perform('DELETE', 'faults');
      await fresh.reload();
    }),
    { class: 'danger' },
  );
  const fresh = keepFresh(stream, ['fault', 'clock'], async () => {
    const faults = await read('faults');
    const armedRows = faults.armed.map((fault) => [fault.kind, ...describe(fault)]);
    const struckRows = faults.struck
      .toReversed()
      .map(({ at, fault, connection, path: of, webhook }) => [
        dateTime(at),
        fault.kind,
        connection ?? '–',
        webhook === undefined
          ? (of ?? '–')
          : el('a', { href: `#${path('webhooks', webhook)}`, 'data-key': webhook }, of),
        fault.user ?? 'all users',
      ]);
    disarm.disabled = armedRows.length === 0;
    refill(armed, table('Armed faults', ARMED, armedRows, 'No fault is armed.'));
    refill(struck, table('Struck faults', STRUCK, struckRows, 'No fault has struck.'));
  });
  root.append(
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Inject a fault'),
      faultForm(query, fresh.reload),
    ),
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Armed'),
      armed,
      el('p', { class: 'actions' }, disarm),
    ),
    el('section', { class: 'card' }, el('h3', {}, 'Struck'), struck),
  );
  return fresh.stop;
}

export const faultsPage = { id: 'faults', title: 'Faults', mount };
