// The page with the open connections.
import { button, el, itemButton, refill, table } from './dom.js';
import { confirmAction } from './dialog.js';
import { dateTime, path } from './format.js';
import { keepFresh } from './refresh.js';
import { onClick } from './action.js';
import { perform, read } from './api.js';

function subscriptionsOf({ id, subscriptions }) {
  if (subscriptions.length === 0) return 'none';
  return el(
    'details',
    { 'data-key': `subscriptions-${id}` },
    el('summary', {}, String(subscriptions.length)),
    el(
      'ul',
      { class: 'plain mono' },
      subscriptions.map((it) => el('li', {}, it)),
    ),
  );
}

function close(connection) {
  return onClick(async () => {
    const text = `The connection of ${connection.user} ends without a close frame.`;
    if (!(await confirmAction('Close connection', text))) return;
    await perform('POST', path('connections', connection.id, 'close'));
  });
}

const expire = (connection) =>
  onClick(() => perform('POST', path('connections', connection.id, 'expire')));

function row(connection) {
  const { id, app, user, openedAt, authenticated, tokenExpiresAt, framesIn, framesOut } =
    connection;
  const name = `connection ${id} of ${user}`;
  const frames = `#frames?${new URLSearchParams({ user })}`;
  return [
    String(id),
    app,
    el('a', { href: frames }, user),
    authenticated ? 'authenticated' : 'not authenticated',
    dateTime(openedAt),
    tokenExpiresAt === null ? 'never' : dateTime(tokenExpiresAt),
    subscriptionsOf(connection),
    `${framesIn} in, ${framesOut} out`,
    el(
      'span',
      { class: 'actions' },
      button('Expire', expire(connection), {
        'aria-label': `Expire the token of ${name}`,
        'data-key': `expire-${id}`,
      }),
      itemButton('Close', name, close(connection), { class: 'danger' }),
    ),
  ];
}

const COLUMNS = [
  'ID',
  'App',
  'User',
  'State',
  'Opened',
  'Token expires',
  'Subscriptions',
  'Frames',
  '',
];

function mount(root, { stream }) {
  const content = el('div', {});
  const fresh = keepFresh(stream, ['connection', 'clock'], async () => {
    const { connections } = await read('connections');
    refill(content, table('Connections', COLUMNS, connections.map(row), 'No client is connected.'));
  });
  const refresh = onClick(async () => {
    await perform('GET', 'connections');
    await fresh.reload();
  });
  root.append(el('p', { class: 'actions' }, button('Refresh', refresh)), content);
  return fresh.stop;
}

export const connectionsPage = { id: 'connections', title: 'Connections', mount };
