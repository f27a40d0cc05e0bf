// The page with the webhooks: settings, deliveries and the selected delivery.
import { button, el, refill, table } from './dom.js';
import { dateTime, path } from './format.js';
import { field } from './form.js';
import { GrowingList } from './growing-list.js';
import { jsonView } from './json-view.js';
import { keepFresh } from './refresh.js';
import { onClick } from './action.js';
import { perform, read } from './api.js';

/** The emulator keeps this many webhooks, and returns them in one page. */
const MAX_WEBHOOKS = 1000;

const TYPES = [
  'user.created',
  'user.updated',
  'message.sent',
  'message.read',
  'message.updated',
  'message.deleted',
  'conversation.deleted',
  'notification.triggered',
];

const STATE_CLASS = { delivered: 'ok', pending: 'warn', failed: 'bad' };

const state = (name) => el('span', { class: STATE_CLASS[name] ?? '' }, name);

function summary({ webhooks = {}, secret }) {
  const { url, events, secret: own, notifyAfterMs: ms } = webhooks;
  const key = own ? 'the key of the webhooks' : secret ? 'the secret of the settings' : 'none';
  return el(
    'dl',
    { class: 'facts' },
    [
      ['Address', url ?? 'none: no webhooks are sent'],
      ['Events', events === undefined ? 'all' : events.join(', ')],
      ['Signed with', key],
      ['Notifications', ms === undefined ? 'none' : `after ${ms} ms`],
    ].map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
  );
}

function attemptsOf({ attempts }) {
  const rows = attempts.map(({ at, endedAt, status, response, error }) => [
    dateTime(at),
    endedAt === null || endedAt === undefined ? '–' : `${endedAt - at} ms`,
    status ?? '–',
    error ?? response ?? '',
  ]);
  return table('Attempts', ['Time', 'Duration', 'Status', 'Answer'], rows, 'No attempt was made.');
}

function detailOf(webhook, resend) {
  return [
    el('h3', {}, `${webhook.type} `, state(webhook.state)),
    el('p', { class: 'mono' }, webhook.id),
    el('p', { class: 'actions' }, button('Resend', resend, { 'data-key': 'resend' })),
    webhook.faults === undefined
      ? null
      : el('p', { class: 'warn' }, `Injected faults: ${webhook.faults.join(', ')}`),
    el('h4', {}, 'Attempts'),
    attemptsOf(webhook),
    el('h4', {}, 'Body'),
    jsonView(webhook.body, 'Body of the webhook'),
  ];
}

const COLUMNS = ['Created', 'Type', 'App', 'State', 'Attempts', 'Last status', ''];

function row(webhook, isSelected) {
  const { id, type, app, createdAt, attempts } = webhook;
  const last = attempts.at(-1);
  return [
    dateTime(createdAt),
    type,
    app,
    state(webhook.state),
    String(attempts.length),
    last === undefined ? '–' : (last.status ?? last.error ?? 'in flight'),
    el(
      'a',
      {
        href: `#${path('webhooks', id)}`,
        'aria-label': `Show ${type} ${id}`,
        'aria-current': isSelected ? 'true' : false,
        'data-key': `show-${id}`,
      },
      'Show',
    ),
  ];
}

function mount(root, { stream, segments }) {
  const [selected] = segments;
  const settings = el('div', {});
  const content = el('div', {});
  const detail = el('section', { class: 'card', 'aria-label': 'Selected webhook', hidden: true });
  const filter = el(
    'form',
    { class: 'filter', 'aria-label': 'Filter', onsubmit: (event) => event.preventDefault() },
    field({ name: 'type', label: 'Type', type: 'select', options: [['', 'all'], ...TYPES] }),
    field({
      name: 'state',
      label: 'State',
      type: 'select',
      options: [['', 'all'], 'pending', 'delivered', 'failed'],
    }),
  );
  const resend = onClick(async () => {
    await perform('POST', path('webhooks', selected, 'resend'));
    await fresh.reload();
  });
  let discarded = 0;
  const deliveries = new GrowingList(
    async (limit) => {
      const given = [...new FormData(filter)].filter(([, value]) => value !== '');
      const query = new URLSearchParams([...given, ['limit', limit]]);
      const answer = await read(`webhooks?${query}`);
      discarded = answer.discarded;
      const isLast = answer.data.length < limit || limit === MAX_WEBHOOKS;
      return { items: answer.data, next: isLast ? null : limit };
    },
    { step: 100, max: MAX_WEBHOOKS },
  );
  const fresh = keepFresh(stream, ['webhook', 'clock'], async () => {
    const [current] = await Promise.all([read('settings'), deliveries.load()]);
    refill(settings, summary(current));
    const rows = deliveries.items.map((webhook) => row(webhook, webhook.id === selected));
    refill(
      content,
      discarded > 0 ? el('p', { class: 'warn' }, `${discarded} webhooks were discarded.`) : null,
      table('Deliveries', COLUMNS, rows, 'There are no webhooks.'),
      deliveries.moreButton(fresh.reload),
    );
    if (selected === undefined) return;
    const webhook = await read(path('webhooks', selected));
    detail.hidden = false;
    refill(detail, detailOf(webhook, resend));
  });
  filter.addEventListener('input', fresh.reload);
  root.append(
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Settings'),
      settings,
      el('p', {}, el('a', { href: '#settings' }, 'Change')),
    ),
    detail,
    el('section', { class: 'card' }, el('h3', {}, 'Deliveries'), filter, content),
  );
  return fresh.stop;
}

export const webhooksPage = { id: 'webhooks', title: 'Webhooks', mount };
