// The page with the data of an app: users, conversations, participants and messages.
import { el, refill } from './dom.js';
import { appChoice, chosenApp, loadApps } from './apps.js';
import { conversationView, conversationsView } from './conversation-data.js';
import { keepFresh } from './refresh.js';
import { messagesView } from './message-data.js';
import { path } from './format.js';
import { read } from './api.js';
import { restList } from './growing-list.js';
import { seedForm } from './seed-form.js';
import { usersView } from './user-data.js';

const KINDS = [
  ['users', 'Users'],
  ['conversations', 'Conversations'],
  ['seed', 'Seed'],
];

function tabsOf(app, current) {
  const links = KINDS.map(([kind, title]) =>
    el(
      'a',
      {
        href: `#${path('data', app, kind)}`,
        'aria-current': kind === current ? 'page' : false,
        'data-key': kind,
      },
      title,
    ),
  );
  return el('nav', { 'aria-label': 'Kinds of data' }, links);
}

/** Returns a function that loads the data of a view and returns its elements. */
function viewOf(app, kind, id) {
  const list = restList(path('rest', app, kind));
  if (kind === 'users') {
    return async (reload) => {
      await list.load();
      return usersView(app, list, reload);
    };
  }
  if (id === undefined) {
    return async (reload) => {
      await list.load();
      return conversationsView(app, list, reload);
    };
  }
  const url = path('rest', app, 'conversations', id);
  const messages = restList(`${url}/messages`);
  return async (reload) => {
    try {
      const [conversation] = await Promise.all([read(url), messages.load()]);
      return conversationCards(conversation, reload);
    } catch (error) {
      if (error.status !== 404) throw error;
      return el('p', { class: 'empty' }, 'There is no conversation with this ID.');
    }
  };
  function conversationCards(conversation, reload) {
    return [
      el('section', { class: 'card' }, conversationView(app, conversation, reload)),
      el('section', { class: 'card' }, messagesView(app, conversation, messages, reload)),
    ];
  }
}

function mount(root, { stream, segments }) {
  const [givenApp, kind = 'users', id] = segments;
  const choice = appChoice((app) => {
    location.hash = path('data', app, kind);
  });
  const bar = el('div', { class: 'toolbar' });
  const content = el('div', {});
  root.append(bar, content);
  let view = null;
  const fresh = keepFresh(stream, ['data'], async () => {
    choice.show(await loadApps(givenApp));
    const app = chosenApp();
    refill(bar, choice.element, app === null ? null : tabsOf(app, kind));
    if (kind === 'seed' || app === null) {
      if (view === null) refill(content, seedForm(app));
      view = 'seed';
      return;
    }
    if (view === null || view === 'seed') view = viewOf(app, kind, id);
    refill(content, await view(fresh.reload));
  });
  return fresh.stop;
}

export const dataPage = { id: 'data', title: 'Data', mount };
