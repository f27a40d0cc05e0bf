// The messages of a conversation, with the actions of the chosen user.
import { bdi, button, el, itemButton } from './dom.js';
import { contentView, plainText } from './content-view.js';
import { actAs, read } from './api.js';
import { confirmAction } from './dialog.js';
import { field, openForm } from './form.js';
import { onClick } from './action.js';
import { path, timeOfDay } from './format.js';

const EMOJI = ['👍', '❤️', '😂'];

/** Returns the content of a text without markup. */
export const textContent = (text) => [{ type: 'text', children: [text] }];

/** Returns `true` if the content is a text. A text in place of another content would discard it. */
const isText = ({ content }) => content.length === 1 && content[0].type === 'text';

/** The key of the button that adds a reaction, and of the one that removes it again. */
const reactionKey = (emoji, { id }) => `reaction-${emoji}-${id}`;

const textField = (value) =>
  field({ name: 'text', label: 'Text with markup', type: 'textarea', value, required: true });

/** Creates the list of messages, oldest first. */
export function messageList(actor, messages, compose, reload) {
  if (messages.length === 0) return el('p', { class: 'empty' }, 'There are no messages.');
  const byId = new Map(messages.map((message) => [message.id, message]));
  return el(
    'ul',
    { class: 'plain' },
    messages.map((message) => item(actor, message, byId, compose, reload)),
  );
}

function item(actor, message, byId, compose, reload) {
  const isOwn = message.senderId === actor.user;
  const url = `/${path('conversations', actor.conversation, 'messages', message.id)}`;
  const act = async (method, part, more = {}) => {
    await actAs({ ...actor.base, method, path: url + part, ...more });
    await reload();
  };
  const edit = onClick(async () => {
    const { text } = await read(path('rest', actor.app) + url);
    await openForm('Edit message', [textField(text)], 'Save', async (values, initial) => {
      if (values.text === undefined) throw new Error('A message needs a text.');
      if (values.text !== initial.text) await act('PATCH', '', { text: values.text });
    });
  });
  const remove = onClick(async () => {
    if (await confirmAction('Delete message', 'The message is deleted for all participants.')) {
      await act('DELETE', '');
    }
  });
  const react = (emoji, isOn) =>
    act(isOn ? 'PUT' : 'DELETE', `/${path('reactions', emoji, actor.user)}`);
  const named = (label, onclick, attributes) =>
    itemButton(label, `message ${message.id}`, onclick, attributes);
  const quoted = byId.get(message.referencedMessageId);
  const isSystem = message.senderId === null;
  return el(
    'li',
    { class: isOwn ? 'bubble own' : 'bubble', 'data-message': message.id },
    el(
      'small',
      {},
      bdi(message.senderId ?? 'system'),
      `, ${timeOfDay(message.createdAt).slice(0, 5)}`,
      message.editedAt === null ? '' : ', edited',
    ),
    quoted === undefined ? null : el('blockquote', {}, plainText(quoted.content)),
    el('div', { class: 'message-text' }, contentView(message.content)),
    reactionsOf(message, react),
    el(
      'div',
      { class: 'actions' },
      isSystem ? null : named('Reply', () => compose.replyTo(message)),
      EMOJI.filter((emoji) => message.reactions?.[emoji] === undefined).map((emoji) =>
        named(
          emoji,
          onClick(() => react(emoji, true)),
          {
            'aria-label': `React with ${emoji} to message ${message.id}`,
            'data-key': reactionKey(emoji, message),
          },
        ),
      ),
      isText(message) ? named('Edit', edit) : null,
      named('Delete', remove, { class: 'danger' }),
    ),
  );
}

function reactionsOf(message, react) {
  const reactions = Object.entries(message.reactions ?? {});
  if (reactions.length === 0) return null;
  return el(
    'div',
    { class: 'actions' },
    reactions.map(([emoji, { count, currentUserReacted }]) =>
      button(
        `${emoji} ${count}`,
        onClick(() => react(emoji, !currentUserReacted)),
        {
          'aria-pressed': String(currentUserReacted === true),
          'aria-label': `Reaction ${emoji} on message ${message.id}`,
          'data-key': reactionKey(emoji, message),
        },
      ),
    ),
  );
}
