// The users of an app.
import { button, el, itemButton, table } from './dom.js';
import { changes, customText, given, list } from './patch.js';
import { dateTime, isolate, path } from './format.js';
import { field, openForm } from './form.js';
import { checkIsNew, perform } from './api.js';

const fields = (user = {}) => [
  user.id === undefined
    ? field({ name: 'id', label: 'ID', required: true, maxlength: '255' })
    : null,
  field({ name: 'name', label: 'Name', value: user.name, required: true }),
  field({ name: 'role', label: 'Role', value: user.role }),
  field({
    name: 'email',
    label: 'Email',
    value: user.email?.join(', '),
    hint: 'Separated by commas',
  }),
  field({
    name: 'phone',
    label: 'Phone',
    value: user.phone?.join(', '),
    hint: 'Separated by commas',
  }),
  field({ name: 'photoUrl', label: 'Photo URL', value: user.photoUrl }),
  field({ name: 'locale', label: 'Locale', value: user.locale }),
  field({ name: 'welcomeMessage', label: 'Welcome message', value: user.welcomeMessage }),
  field({
    name: 'custom',
    label: 'Custom data (JSON)',
    type: 'object',
    value: customText(user.custom),
  }),
];

const membersOf = ({ id, ...values }) => ({
  ...values,
  email: list(values.email),
  phone: list(values.phone),
});

function create(app, reload) {
  openForm('New user', fields(), 'Create', async (values) => {
    const members = given(membersOf(values));
    const message = `There is a user with the ID ${values.id} already. Edit this user instead.`;
    await checkIsNew(app, ['users', values.id], message);
    await perform('PUT', path('rest', app, 'users', values.id), members);
    await reload();
  });
}

function edit(app, user, reload) {
  openForm(`Edit ${isolate(user.id)}`, fields(user), 'Save', async (values, initial) => {
    const patch = changes(membersOf(initial), membersOf(values));
    await perform('PUT', path('rest', app, 'users', user.id), patch);
    await reload();
  });
}

const COLUMNS = ['ID', 'Name', 'Role', 'Email', 'Custom', 'Created', ''];

/** Creates the view of the users. */
export function usersView(app, users, reload) {
  const rows = users.items.map((user) => [
    el('span', { class: 'mono' }, user.id),
    user.name,
    user.role,
    user.email?.join(', ') ?? '–',
    customText(user.custom) === '' ? '–' : el('code', {}, JSON.stringify(user.custom)),
    dateTime(user.createdAt),
    el(
      'span',
      { class: 'actions' },
      itemButton('Edit', `user ${user.id}`, () => edit(app, user, reload)),
      el('a', { href: `#act?${new URLSearchParams({ app, user: user.id })}` }, 'Act as'),
    ),
  ]);
  return [
    el(
      'p',
      { class: 'actions' },
      button('New user', () => create(app, reload), { 'data-key': 'new-user' }),
    ),
    table('Users', COLUMNS, rows, 'The app has no users.'),
    users.moreButton(reload),
    el('p', { class: 'empty' }, 'The service has no request that deletes a user.'),
  ];
}
