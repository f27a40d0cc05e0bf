// The form that sends messages as the chosen user, and the actions on the conversation.
import { bdi, button, el, fill, labelled } from './dom.js';
import { onClick, onSubmit } from './action.js';
import { actAs } from './api.js';
import { path } from './format.js';
import { plainText } from './content-view.js';
import { textContent } from './act-messages.js';

/** Creates the composer. `replyTo(message)` makes the next message a reply. */
export function composer(actor, reload) {
  const quote = el('p', { class: 'reply', hidden: true });
  let replied = null;
  const text = el('textarea', {
    name: 'text',
    rows: '2',
    required: true,
    onkeydown: (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    },
  });
  const replyTo = (message) => {
    replied = message?.id ?? null;
    quote.hidden = replied === null;
    if (message === null) return;
    fill(
      quote,
      'Reply to: ',
      bdi(plainText(message.content)),
      ' ',
      button('Cancel reply', () => {
        replyTo(null);
        text.focus();
      }),
    );
    text.focus();
  };
  const conversation = path('conversations', actor.conversation);
  const act = (method, target, data) =>
    onClick(async () => {
      await actAs({ ...actor.base, method, path: target, data });
      await reload();
    });
  const send = onSubmit(async () => {
    const data = { content: textContent(text.value) };
    if (replied !== null) data.referencedMessageId = replied;
    await actAs({ ...actor.base, method: 'POST', path: `/${conversation}/messages`, data });
    text.value = '';
    replyTo(null);
    await reload();
  });
  const form = el(
    'form',
    { class: 'form composer', 'aria-label': 'Send a message', onsubmit: send },
    quote,
    labelled(
      'Message',
      text,
      'Enter sends, Shift+Enter begins a line. The text is sent without markup.',
    ),
    el(
      'p',
      { class: 'actions' },
      el('button', {}, 'Send'),
      button('Type', act('POST', `/me/${conversation}/typing`)),
      button('Mark as read', act('POST', `/me/${conversation}/read`)),
      button('Mark as unread', act('POST', `/me/${conversation}/unread`)),
    ),
  );
  return { element: form, replyTo };
}
