// The chosen conversation on the page to act as a user: its messages, typing users and composer.
import { actAs } from './api.js';
import { actList } from './act-list.js';
import { composer } from './act-composer.js';
import { bdiList, el, fill, refill } from './dom.js';
import { messageList } from './act-messages.js';
import { path } from './format.js';

/** The maximum page of messages. */
const MAX_MESSAGES = 100;

/** The time between two reads while a user is typing, in ms. */
const TYPING_INTERVAL = 2000;

/** Describes the users that are typing, as the children of an element. */
function typingText({ many, usersTyping = {} }) {
  if (many) return ['Several users are typing.'];
  const ids = Object.keys(usersTyping);
  if (ids.length === 0) return [];
  return [bdiList(ids), ids.length === 1 ? ' is typing.' : ' are typing.'];
}

/** Creates the view. `load(title)` loads and shows the conversation, and `stop` ends its timer. */
export function chatView(actor, reload) {
  const messages = el('div', {
    class: 'messages',
    tabindex: '0',
    role: 'log',
    'aria-label': 'Messages',
  });
  const typing = el('p', { class: 'empty typing', role: 'status' });
  const element = el('section', { class: 'card chat', 'aria-label': 'Conversation', hidden: true });
  const url = `/me/${path('conversations', actor.conversation ?? '')}`;
  const list = actList(actor, `${url}/messages`, {}, MAX_MESSAGES);
  let compose = null;
  let timer;

  const showMessages = () => {
    const wasAtEnd = messages.scrollTop + messages.clientHeight >= messages.scrollHeight - 4;
    const fromEnd = messages.scrollHeight - messages.scrollTop;
    const oldest = messages.querySelector('[data-message]')?.dataset.message;
    const shown = list.items.toReversed();
    refill(
      messages,
      list.moreButton(reload, 'Show earlier messages'),
      messageList(actor, shown, compose, reload),
    );
    // Earlier messages move the visible ones down.
    const isLonger = oldest !== undefined && shown.findIndex(({ id }) => id === oldest) > 0;
    if (wasAtEnd) messages.scrollTop = messages.scrollHeight;
    else if (isLonger) messages.scrollTop = messages.scrollHeight - fromEnd;
  };
  const load = async (title) => {
    const get = actAs({ ...actor.base, method: 'GET', path: `${url}/typing` }, false);
    const [typers] = await Promise.all([get.catch(() => ({})), list.load()]);
    if (compose === null) {
      compose = composer(actor, reload);
      fill(element, el('h3', {}, title), messages, typing, compose.element);
      element.hidden = false;
    }
    showMessages();
    const text = typingText(typers);
    fill(typing, text);
    clearTimeout(timer);
    if (text.length > 0) timer = setTimeout(reload, TYPING_INTERVAL);
  };
  return { element, load, stop: () => clearTimeout(timer) };
}
