// The page with the snapshots.
import { button, el, itemButton, refill, table } from './dom.js';
import { confirmAction } from './dialog.js';
import { field, pageForm } from './form.js';
import { keepFresh } from './refresh.js';
import { onClick } from './action.js';
import { isolate, path } from './format.js';
import { perform, read } from './api.js';

/** Stores data in a file of the browser's user. */
function download(name, data) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(data)], { type: 'application/json' }));
  const link = el('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Returns `true` if no snapshot has the name, or if it may be replaced. */
async function mayStore(name) {
  const { data } = await read('snapshots');
  if (data.every((it) => it.name !== name)) return true;
  const text = `The snapshot ${isolate(name)} is replaced by the new one.`;
  return confirmAction('Replace snapshot', text);
}

function mount(root, { stream }) {
  const content = el('div', {});
  const fresh = keepFresh(stream, ['data'], async () => {
    const { data } = await read('snapshots');
    refill(
      content,
      table('Snapshots', ['Name', 'Records', ''], data.map(row), 'There are no snapshots.'),
    );
  });
  const change = (action) =>
    onClick(async () => {
      await action();
      await fresh.reload();
    });
  const confirmed = (title, text, action) =>
    change(async () => {
      if (await confirmAction(title, text)) await action();
    });
  const row = ({ name, records }) => [
    name,
    String(records),
    el(
      'span',
      { class: 'actions' },
      itemButton(
        'Restore',
        name,
        confirmed('Restore snapshot', `All data is replaced by ${isolate(name)}.`, () =>
          perform('POST', path('snapshots', name, 'restore')),
        ),
      ),
      itemButton(
        'Export',
        name,
        change(async () => {
          const file = `${name}.json`;
          download(
            file,
            await perform('GET', path('snapshots', name), undefined, { output: file }),
          );
        }),
      ),
      itemButton(
        'Delete',
        name,
        confirmed('Delete snapshot', `The snapshot ${isolate(name)} is deleted.`, () =>
          perform('DELETE', path('snapshots', name)),
        ),
        { class: 'danger' },
      ),
    ),
  ];
  const reset = confirmed('Reset all data', 'All data is replaced by the initial data.', () =>
    perform('POST', 'reset'),
  );
  const name = (attributes = {}) => field({ name: 'name', label: 'Name', ...attributes });
  root.append(
    el('section', { class: 'card' }, el('h3', {}, 'Snapshots'), content),
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Save'),
      pageForm('Save a snapshot', [name({ required: true })], 'Save', async (values) => {
        if (!(await mayStore(values.name))) return;
        await perform('POST', path('snapshots', values.name, 'save'));
        await fresh.reload();
      }),
    ),
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Import'),
      pageForm(
        'Import a snapshot',
        [
          field({
            name: 'file',
            label: 'File',
            type: 'file',
            accept: '.json,application/json',
            required: true,
          }),
          name({ hint: 'Default: the name of the file' }),
        ],
        'Import',
        async (values, form) => {
          const [file] = form.elements.file.files;
          const target = values.name ?? file.name.replace(/\.json$/, '');
          if (target === '') throw new Error(`The file ${file.name} has no name. Enter one.`);
          if (!(await mayStore(target))) return;
          const text = await file.text();
          const options = { text, file: file.name };
          await perform('PUT', path('snapshots', target), undefined, options).catch((error) => {
            throw error.status === 400 ? new Error(`${file.name}: ${error.message}`) : error;
          });
          form.reset();
          await fresh.reload();
        },
      ),
    ),
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Reset'),
      el(
        'p',
        { class: 'empty' },
        'A reset or a restored snapshot closes all connections. Settings, time and snapshots stay.',
      ),
      el('p', { class: 'actions' }, button('Reset all data', reset, { class: 'danger' })),
    ),
  );
  return fresh.stop;
}

export const snapshotsPage = { id: 'snapshots', title: 'Snapshots', mount };
