// The page to act as a user: its conversations, and the messages of one of them.
import { actList, usersWith } from './act-list.js';
import { appChoice, chosenApp, loadApps } from './apps.js';
import { chatView } from './act-chat.js';
import { bdi, el, fill, labelled, refill } from './dom.js';
import { dateTime, isolate, path } from './format.js';
import { keepFresh } from './refresh.js';
import { restList } from './growing-list.js';

/** The users by which the choice grows. */
const USERS = 100;

/** The maximum page of conversations. */
const MAX_CONVERSATIONS = 30;

const address = (query) => `act?${new URLSearchParams(query)}`;

const optionText = (id, name) =>
  name === id ? isolate(id) : `${isolate(name)} (${isolate(id)})`;

function userChoice(users, user, onChoose) {
  const select = el('select', {
    name: 'user',
    'data-key': 'user',
    onchange: () => onChoose(select.value),
  });
  fill(
    select,
    users.map(({ id, name }) =>
      el('option', { value: id, selected: id === user }, optionText(id, name)),
    ),
  );
  return labelled('User', select);
}

function conversationList(sides, actor) {
  if (sides.length === 0) return el('p', { class: 'empty' }, 'The user has no conversations.');
  const links = sides.map((side) => {
    const { id, subject, lastMessageAt, unreadMessageCount, isUnread } = side;
    const unread =
      unreadMessageCount > 0 ? `${unreadMessageCount} unread` : isUnread ? 'unread' : '';
    return el(
      'li',
      {},
      el(
        'a',
        {
          href: `#${address({ app: actor.app, user: actor.user, conversation: id })}`,
          'aria-current': id === actor.conversation ? 'true' : false,
          'data-key': `conversation-${id}`,
        },
        bdi(subject ?? id),
        el('small', {}, dateTime(lastMessageAt)),
        unread === '' ? null : el('strong', { class: 'badge' }, unread),
      ),
    );
  });
  return el('ul', { class: 'plain conversations' }, links);
}

function mount(root, { stream, query }) {
  const bar = el('div', { class: 'toolbar' });
  const sidebar = el('section', { class: 'card', 'aria-label': 'Conversations' });
  const choice = appChoice((app) => {
    location.hash = address({ app });
  });
  const actor = {
    app: null,
    user: null,
    conversation: query.get('conversation'),
    base: null,
  };
  const sides = actList(actor, '/me/conversations', { filter: {} }, MAX_CONVERSATIONS);
  let users = null;
  const choose = (user) => {
    location.hash = address({ app: actor.app, user });
  };

  const fresh = keepFresh(stream, ['data', 'clock'], async () => {
    choice.show(await loadApps(query.get('app') ?? undefined));
    actor.app = chosenApp();
    if (actor.app === null) {
      refill(sidebar, el('p', { class: 'empty' }, 'There are no apps.'));
      return;
    }
    users ??= restList(path('rest', actor.app, 'users'), { step: USERS });
    const choices = await usersWith(actor.app, users, query.get('user'));
    actor.user = query.get('user') ?? choices.at(-1)?.id ?? null;
    refill(
      bar,
      choice.element,
      userChoice(choices, actor.user, choose),
      users.moreButton(fresh.reload, 'Show more users'),
    );
    if (actor.user === null) return;
    actor.base = { app: actor.app, user: actor.user };
    await sides.load();
    refill(
      sidebar,
      el('h3', {}, 'Conversations'),
      conversationList(sides.items, actor),
      sides.moreButton(fresh.reload, 'Show more conversations'),
    );
    if (actor.conversation === null) return;
    const side = sides.items.find(({ id }) => id === actor.conversation);
    await chat.load(side?.subject ?? actor.conversation);
  });
  const chat = chatView(actor, fresh.reload);
  root.append(bar, el('div', { class: 'split' }, sidebar, chat.element));
  // Typing of clients is no data. Its requests are seen as frames, and its end is polled.
  const stop = stream.on('frame', ({ path: target, status }) => {
    if (status !== undefined && target?.endsWith('/typing')) fresh.reload();
  });
  return () => {
    stop();
    chat.stop();
    fresh.stop();
  };
}

export const actPage = { id: 'act', title: 'Act as a user', mount };
