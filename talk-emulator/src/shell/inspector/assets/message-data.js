// The messages of a conversation.
import { bdiList, button, el, itemButton, table } from './dom.js';
import { changes, customText } from './patch.js';
import { confirmAction } from './dialog.js';
import { dateTime, path } from './format.js';
import { field, openForm } from './form.js';
import { onClick } from './action.js';
import { perform } from './api.js';
import { contentView } from './content-view.js';

function edit(url, message, reload) {
  const fields = [
    field({ name: 'text', label: 'Text with markup', type: 'textarea', value: message.text }),
    field({
      name: 'custom',
      label: 'Custom data (JSON)',
      type: 'object',
      value: customText(message.custom),
    }),
  ];
  openForm('Edit message', fields, 'Save', async (values, initial) => {
    const patch = changes(initial, values);
    if (patch.text === null) throw new Error('A message needs a text. Delete the message instead.');
    // A text alone would replace the file.
    const file = message.content.find(({ type }) => type === 'file');
    if (patch.text !== undefined && file !== undefined) patch.attachmentToken = file.fileToken;
    if (Object.keys(patch).length === 0) return;
    await perform('PUT', url, patch);
    await reload();
  });
}

function row(base, message, reload) {
  const url = `${base}/${path(message.id)}`;
  const name = `message ${message.id}`;
  const remove = onClick(async () => {
    if (!(await confirmAction('Delete message', 'The message is deleted for all participants.')))
      return;
    await perform('DELETE', url);
    await reload();
  });
  const reactions = Object.entries(message.reactions ?? {});
  return [
    dateTime(message.createdAt),
    message.senderId ?? el('em', {}, 'system'),
    el(
      'div',
      { class: 'message-text' },
      contentView(message.content),
      message.editedAt === null ? null : el('small', {}, ' (edited)'),
      reactions.length === 0
        ? null
        : el(
            'small',
            {},
            ` ${reactions.map(([emoji, { count }]) => `${emoji} ${count ?? ''}`).join(' ')}`,
          ),
    ),
    message.origin,
    (message.readBy ?? []).length === 0 ? '–' : bdiList(message.readBy),
    el(
      'span',
      { class: 'actions' },
      itemButton('Edit', name, () => edit(url, message, reload)),
      itemButton('Delete', name, remove, { class: 'danger' }),
    ),
  ];
}

function send(url, conversation, reload) {
  const senders = Object.keys(conversation.participants).map((id) => [id, id]);
  const fields = [
    field({
      name: 'sender',
      label: 'Sender',
      type: 'select',
      options: [['', 'system message'], ...senders],
    }),
    field({ name: 'text', label: 'Text with markup', type: 'textarea', required: true }),
    field({ name: 'custom', label: 'Custom data (JSON)', type: 'object' }),
  ];
  openForm('New message', fields, 'Send', async ({ sender, text, custom }) => {
    const type = sender === undefined ? 'SystemMessage' : 'UserMessage';
    await perform('POST', url, [{ type, sender, text, custom }]);
    await reload();
  });
}

const COLUMNS = ['Time', 'Sender', 'Content', 'Origin', 'Read by', ''];

/** Creates the view of the messages, newest first. */
export function messagesView(app, conversation, messages, reload) {
  const url = `${path('rest', app, 'conversations', conversation.id)}/messages`;
  return [
    el('h4', {}, 'Messages'),
    el(
      'p',
      { class: 'actions' },
      button('New message', () => send(url, conversation, reload), { 'data-key': 'new-message' }),
    ),
    table(
      'Messages',
      COLUMNS,
      messages.items.map((message) => row(url, message, reload)),
      'The conversation has no messages.',
    ),
    messages.moreButton(reload),
  ];
}
