// The form that adds the data of a seed document.
import { el } from './dom.js';
import { field, pageForm } from './form.js';
import { path } from './format.js';
import { perform } from './api.js';

const example = (app) => ({
  app,
  users: { dana: { name: 'Dana' }, eli: { name: 'Eli' } },
  conversations: [
    {
      id: 'hiking',
      subject: 'Hiking',
      participants: ['dana', 'eli'],
      messages: [{ sender: 'dana', text: 'Is *Sunday* good?', minutesAgo: 5 }],
    },
  ],
});

/** Creates the form. */
export function seedForm(app) {
  const text = JSON.stringify(example(app ?? 'demo'), null, 2);
  const form = pageForm(
    'Add a seed document',
    [
      field({ name: 'file', label: 'File', type: 'file', accept: '.json,application/json' }),
      field({
        name: 'seed',
        label: 'Seed document (JSON)',
        type: 'object',
        value: text,
        rows: '16',
        required: true,
      }),
    ],
    'Add data',
    async ({ seed }) => {
      await perform('POST', 'seed', seed);
      location.hash = path('data', seed.app, 'users');
    },
  );
  const { file, seed } = form.elements;
  file.addEventListener('change', async () => {
    if (file.files.length > 0) seed.value = await file.files[0].text();
  });
  return el('section', { class: 'card' }, el('h3', {}, 'Add a seed document'), form);
}
