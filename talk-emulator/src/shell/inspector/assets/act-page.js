// The page to act as a user: its conversations, and the messages of one of them.
import { actAs, read } from './api.js';
import { appChoice, chosenApp, loadApps } from './apps.js';
import { el, fill, labelled, refill } from './dom.js';
import { composer } from './act-composer.js';
import { dateTime, path } from './format.js';
import { keepFresh } from './refresh.js';
import { messageList } from './act-messages.js';

/** The users in the choice, the maximum of the REST API. */
const MAX_USERS = 100;

/** The time between two reads while a user is typing, in ms. */
const TYPING_INTERVAL = 2000;

const address = (query) => `act?${new URLSearchParams(query)}`;

function userChoice(users, user, onChoose) {
  const select = el('select', {
    name: 'user',
    'data-key': 'user',
    onchange: () => onChoose(select.value),
  });
  fill(
    select,
    users.map(({ id, name }) =>
      el('option', { value: id, selected: id === user }, name === id ? id : `${name} (${id})`),
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
        el('span', {}, subject ?? id),
        el('small', {}, dateTime(lastMessageAt)),
        unread === '' ? null : el('strong', { class: 'badge' }, unread),
      ),
    );
  });
  return el('ul', { class: 'plain conversations' }, links);
}

/** Describes the users that are typing. */
function typingText({ many, usersTyping = {} }) {
  if (many) return 'Several users are typing.';
  const ids = Object.keys(usersTyping);
  if (ids.length === 0) return '';
  return ids.length === 1 ? `${ids[0]} is typing.` : `${ids.join(', ')} are typing.`;
}

async function loadChat(actor) {
  const url = `/me/${path('conversations', actor.conversation)}`;
  const get = (part, data) =>
    actAs({ ...actor.base, method: 'GET', path: url + part, data }, false);
  const [messages, typing] = await Promise.all([
    get('/messages', { limit: 30 }),
    get('/typing').catch(() => ({})),
  ]);
  return { messages: messages.data.toReversed(), typing };
}

function mount(root, { stream, query }) {
  const bar = el('div', { class: 'toolbar' });
  const sidebar = el('section', { class: 'card', 'aria-label': 'Conversations' });
  const messages = el('div', {
    class: 'messages',
    tabindex: '0',
    role: 'log',
    'aria-label': 'Messages',
  });
  const typing = el('p', { class: 'empty typing', role: 'status' });
  const chat = el('section', { class: 'card chat', 'aria-label': 'Conversation', hidden: true });
  root.append(bar, el('div', { class: 'split' }, sidebar, chat));

  const choice = appChoice((app) => {
    location.hash = address({ app });
  });
  const actor = {
    app: null,
    user: null,
    conversation: query.get('conversation'),
    base: null,
    reply: null,
  };
  let compose = null;
  let timer;

  const fresh = keepFresh(stream, ['data', 'clock'], async () => {
    choice.show(await loadApps(query.get('app') ?? undefined));
    actor.app = chosenApp();
    if (actor.app === null) {
      refill(sidebar, el('p', { class: 'empty' }, 'There are no apps.'));
      return;
    }
    const users = (await read(`${path('rest', actor.app, 'users')}?limit=${MAX_USERS}`)).data;
    actor.user = query.get('user') ?? users.at(-1)?.id ?? null;
    const choose = (user) => {
      location.hash = address({ app: actor.app, user });
    };
    refill(bar, choice.element, userChoice(users, actor.user, choose));
    if (actor.user === null) return;
    actor.base = { app: actor.app, user: actor.user };
    const data = { limit: 30, filter: {} };
    const sides = await actAs(
      { ...actor.base, method: 'GET', path: '/me/conversations', data },
      false,
    );
    refill(sidebar, el('h3', {}, 'Conversations'), conversationList(sides.data, actor));
    if (actor.conversation === null) return;
    const loaded = await loadChat(actor);
    if (compose === null) {
      compose = composer(actor, fresh.reload);
      const side = sides.data.find(({ id }) => id === actor.conversation);
      fill(
        chat,
        el('h3', {}, side?.subject ?? actor.conversation),
        messages,
        typing,
        compose.element,
      );
      chat.hidden = false;
    }
    const wasAtEnd = messages.scrollTop + messages.clientHeight >= messages.scrollHeight - 4;
    refill(messages, messageList(actor, loaded.messages, compose, fresh.reload));
    if (wasAtEnd) messages.scrollTop = messages.scrollHeight;
    const text = typingText(loaded.typing);
    fill(typing, text);
    clearTimeout(timer);
    if (text !== '') timer = setTimeout(fresh.reload, TYPING_INTERVAL);
  });
  // Typing is no data. Its requests are seen as frames, and its end is polled.
  const stop = stream.on('frame', ({ path: target, status }) => {
    if (status !== undefined && target?.endsWith('/typing')) fresh.reload();
  });
  return () => {
    stop();
    clearTimeout(timer);
    fresh.stop();
  };
}

export const actPage = { id: 'act', title: 'Act as a user', mount };
