// The page with the settings.
import { button, el, refill } from './dom.js';
import { field, pageForm } from './form.js';
import { jsonView } from './json-view.js';
import { keepFresh } from './refresh.js';
import { perform, read } from './api.js';

/** Patches for common tests. */
const EXAMPLES = [
  ['Clients may not write users', { sync: { users: false } }],
  ['Users may not reply', { roles: { default: { reply: false } } }],
  [
    'Guests are read-only',
    { roles: { guest: { editMessages: 'none', deleteMessages: 'none', react: false } } },
  ],
  ['Small files only', { limits: { maxFileSize: 100000, fileTypes: ['png', 'jpg'] } }],
  ['REST rate limits', { limits: { restRate: true } }],
  ['Send webhooks', { webhooks: { url: 'http://127.0.0.1:3000/hooks' } }],
  ['No webhooks', { webhooks: { url: null } }],
];

function mount(root, { stream }) {
  const current = el('div', {});
  const fresh = keepFresh(stream, [], async () => {
    refill(current, jsonView(JSON.stringify(await read('settings')), 'Current settings'));
  });
  const form = pageForm(
    'Change settings',
    [
      field({
        name: 'patch',
        label: 'JSON merge patch',
        type: 'object',
        required: true,
        rows: '6',
        hint: 'Absent members stay. null resets a member.',
      }),
    ],
    'Apply',
    async ({ patch }) => {
      await perform('POST', 'settings', patch);
      await fresh.reload();
    },
  );
  const examples = EXAMPLES.map(([label, patch]) =>
    button(label, () => {
      form.elements.patch.value = JSON.stringify(patch, null, 2);
      form.elements.patch.focus();
    }),
  );
  root.append(
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Change'),
      form,
      el('p', {}, 'Examples'),
      el('p', { class: 'actions' }, examples),
    ),
    el('section', { class: 'card' }, el('h3', {}, 'Current settings'), current),
  );
  return fresh.stop;
}

export const settingsPage = { id: 'settings', title: 'Settings', mount };
