// The conversations of an app, and the attributes and participants of one.
import { bdi, bdiList, button, el, itemButton, table } from './dom.js';
import { changes, customText, given, list } from './patch.js';
import { confirmAction } from './dialog.js';
import { dateTime, isolate, path } from './format.js';
import { field, openForm } from './form.js';
import { onClick } from './action.js';
import { checkIsNew, perform } from './api.js';

const fields = (conversation) => [
  conversation === undefined
    ? [
        field({ name: 'id', label: 'ID', required: true, maxlength: '255' }),
        field({
          name: 'participants',
          label: 'Participants',
          hint: 'User IDs, separated by commas',
        }),
      ]
    : null,
  field({ name: 'subject', label: 'Subject', value: conversation?.subject }),
  field({ name: 'photoUrl', label: 'Photo URL', value: conversation?.photoUrl }),
  field({
    name: 'welcomeMessages',
    label: 'Welcome messages',
    type: 'textarea',
    value: conversation?.welcomeMessages?.join('\n'),
    hint: 'One per line',
  }),
  field({
    name: 'custom',
    label: 'Custom data (JSON)',
    type: 'object',
    value: customText(conversation?.custom),
  }),
];

const lines = (text) => text?.split('\n').filter((line) => line.trim() !== '');
const membersOf = ({ id, ...values }) => ({
  ...values,
  welcomeMessages: lines(values.welcomeMessages),
});

function create(app, reload) {
  openForm('New conversation', fields(), 'Create', async (values) => {
    const members = given({ ...membersOf(values), participants: list(values.participants) });
    const message = `There is a conversation with the ID ${values.id} already. Edit it instead.`;
    await checkIsNew(app, ['conversations', values.id], message);
    await perform('PUT', path('rest', app, 'conversations', values.id), members);
    await reload();
  });
}

const address = (app, id) => `#${path('data', app, 'conversations', id)}`;

const LIST_COLUMNS = ['ID', 'Subject', 'Participants', 'Last message', 'Created'];

/** Creates the view of all conversations. */
export function conversationsView(app, conversations, reload) {
  const rows = conversations.items.map((it) => [
    el('a', { class: 'mono', href: address(app, it.id), 'data-key': `open-${it.id}` }, it.id),
    it.subject ?? '–',
    bdiList(Object.keys(it.participants)),
    it.lastMessage === null ? '–' : dateTime(it.lastMessage.createdAt),
    dateTime(it.createdAt),
  ]);
  return [
    el(
      'p',
      { class: 'actions' },
      button('New conversation', () => create(app, reload), { 'data-key': 'new-conversation' }),
    ),
    table('Conversations', LIST_COLUMNS, rows, 'The app has no conversations.'),
    conversations.moreButton(reload),
  ];
}

const ACCESS = ['ReadWrite', 'Read'];
const NOTIFY = [
  ['true', 'all messages'],
  ['MentionsOnly', 'mentions only'],
  ['false', 'nothing'],
];

const notifyOf = (text) => (text === 'MentionsOnly' ? text : text === 'true');

const settings = ({ access = 'ReadWrite', notify = true } = {}) => [
  field({ name: 'access', label: 'Access', type: 'select', options: ACCESS, value: access }),
  field({
    name: 'notify',
    label: 'Notify',
    type: 'select',
    options: NOTIFY,
    value: String(notify),
  }),
];

function addParticipant(url, { participants }, reload) {
  const id = field({ name: 'user', label: 'User ID', required: true });
  openForm('Add participant', [id, settings()], 'Add', async ({ user, access, notify }) => {
    if (Object.hasOwn(participants, user)) throw new Error(`${user} is a participant already.`);
    await perform('PUT', `${url}/${path('participants', user)}`, {
      access,
      notify: notifyOf(notify),
    });
    await reload();
  });
}

function editParticipant(url, user, participant, reload) {
  openForm(
    `Edit participant ${isolate(user)}`,
    settings(participant),
    'Save',
    async ({ access, notify }) => {
      const patch = changes(participant, { access, notify: notifyOf(notify) });
      await perform('PATCH', `${url}/${path('participants', user)}`, patch);
      await reload();
    },
  );
}

function participantsOf(url, { participants }, reload) {
  const rows = Object.entries(participants).map(([user, it]) => [
    el('span', { class: 'mono' }, user),
    it.access,
    NOTIFY.find(([key]) => key === String(it.notify))?.[1] ?? String(it.notify),
    it.isUnread ? 'yes' : 'no',
    dateTime(it.joinedAt),
    el(
      'span',
      { class: 'actions' },
      itemButton('Edit', `participant ${user}`, () => editParticipant(url, user, it, reload)),
      itemButton(
        'Remove',
        `participant ${user}`,
        onClick(async () => {
          const text = `${isolate(user)} leaves the conversation.`;
          if (!(await confirmAction('Remove participant', text))) return;
          await perform('DELETE', `${url}/${path('participants', user)}`);
          await reload();
        }),
        { class: 'danger' },
      ),
    ),
  ]);
  const columns = ['User', 'Access', 'Notify', 'Unread', 'Joined', ''];
  return table('Participants', columns, rows, 'The conversation has no participants.');
}

/** Creates the view of one conversation without its messages. */
export function conversationView(app, conversation, reload) {
  const url = path('rest', app, 'conversations', conversation.id);
  const name = isolate(conversation.id);
  const edit = () =>
    openForm(`Edit ${name}`, fields(conversation), 'Save', async (values, initial) => {
      await perform('PUT', url, changes(membersOf(initial), membersOf(values)));
      await reload();
    });
  const remove = onClick(async () => {
    const text = `The conversation ${name} and its messages are deleted.`;
    if (!(await confirmAction('Delete conversation', text))) return;
    await perform('DELETE', url);
    location.hash = path('data', app, 'conversations');
  });
  return [
    el('h3', {}, conversation.subject ?? conversation.id),
    el(
      'p',
      { class: 'empty' },
      bdi(conversation.id),
      `, created ${dateTime(conversation.createdAt)}`,
    ),
    customText(conversation.custom) === ''
      ? null
      : el('p', {}, el('code', {}, JSON.stringify(conversation.custom))),
    el(
      'p',
      { class: 'actions' },
      button('Edit conversation', edit, { 'data-key': 'edit' }),
      button('Delete conversation', remove, { class: 'danger', 'data-key': 'delete' }),
    ),
    el('h4', {}, 'Participants'),
    participantsOf(url, conversation, reload),
    el(
      'p',
      { class: 'actions' },
      button('Add participant', () => addParticipant(url, conversation, reload), {
        'data-key': 'add',
      }),
    ),
  ];
}
