// The page with the live frames.
import { button, el } from './dom.js';
import { copyWithFeedback } from './clipboard.js';
import { filterForm, matches } from './frame-filter.js';
import { frameJson, showFrame } from './frame-detail.js';
import { FrameStore } from './frame-store.js';
import { rowContent } from './frame-row.js';
import { VirtualList } from './virtual-list.js';

const store = new FrameStore();

/** The time for which the emulator records frames without a page, in ms. */
const RECORDING = 60_000;

/** The values of the filter, kept while another page is open. */
let filter = null;
let isPaused = false;
let pausedItems = [];
let onChange = () => {};

const plural = (count) => (count === 1 ? '1 frame is missing' : `${count} frames are missing`);

/** Stores the frames of the stream, also while another page is open. */
export function recordFrames(stream) {
  stream.on('frame', (frame) => {
    store.add(frame);
    onChange();
  });
  stream.on('gap', ({ dropped }) => {
    if (dropped === 0) return;
    store.addNote(`${plural(dropped)} here: the emulator no longer has them.`);
    onChange();
  });
  stream.on('connected', ({ away }) => {
    if (away < RECORDING) return;
    store.addNote('Frames may be missing here: the page was not connected for a minute or more.');
    onChange();
  });
  stream.on('restarted', () => {
    store.addNote('The emulator was restarted.');
    onChange();
  });
}

function content(item) {
  return item.note === undefined ? rowContent(item) : [el('span', { class: 'cell' }, item.note)];
}

function mount(root, { query }) {
  const detail = el('section', { class: 'detail', 'aria-label': 'Selected frame', tabindex: '-1' });
  const count = el('p', { class: 'count', id: 'frame-count' });
  const show = (item) =>
    showFrame(detail, item, item === null ? undefined : store.counterpart(item), (other) =>
      list.select(other),
    );
  const list = new VirtualList('Frames', {
    renderRow: content,
    onSelect: show,
    onOpen: () => detail.focus(),
  });
  const form = filterForm((values) => {
    filter = values;
    update();
  });
  if (filter !== null) restore(form.form, filter);
  if (query.has('user')) form.form.elements.user.value = query.get('user');
  filter = form.values();

  const all = () => (isPaused ? pausedItems : store.items);
  const filtered = () => all().filter((item) => matches(item, filter));
  const update = () => {
    const items = filtered();
    list.setItems(items);
    const waiting = isPaused ? store.items.length - pausedItems.length : 0;
    count.textContent =
      `${items.length} of ${all().length} frames` + (waiting > 0 ? `, ${waiting} new` : '');
  };

  // Many frames arrive between two renderings.
  let scheduled = false;
  onChange = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      if (root.isConnected) update();
    });
  };

  const pauseButton = button(
    isPaused ? 'Resume' : 'Pause',
    () => {
      isPaused = !isPaused;
      pausedItems = isPaused ? [...store.items] : [];
      pauseButton.textContent = isPaused ? 'Resume' : 'Pause';
      if (!isPaused) list.follow();
      update();
    },
    { id: 'frame-pause', 'aria-keyshortcuts': 'p' },
  );
  const clearButton = button(
    'Clear',
    () => {
      store.clear();
      pausedItems = [];
      show(null);
      update();
    },
    { id: 'frame-clear', 'aria-keyshortcuts': 'x' },
  );
  const copyButton = button(
    'Copy all as JSON',
    () => {
      const frames = filtered().filter((item) => item.note === undefined);
      return copyWithFeedback(copyButton, `[${frames.map(frameJson).join(',\n')}]`);
    },
    { title: 'Copies the frames that pass the filter' },
  );

  root.append(
    el(
      'div',
      { class: 'toolbar' },
      form.form,
      el('p', { class: 'actions' }, pauseButton, clearButton, copyButton),
      count,
    ),
    el('div', { class: 'frames' }, list.element, detail),
  );
  show(null);
  update();
  return () => {
    onChange = () => {};
    list.dispose();
  };
}

function restore(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const control = form.elements[name];
    if (typeof value === 'boolean') control.checked = value;
    else control.value = value;
  }
}

export const framesPage = { id: 'frames', title: 'Frames', mount };
