// The inspector: its pages, their addresses and the event stream.
import { actPage } from './act-page.js';
import { clockPage } from './clock-page.js';
import { connectionsPage } from './connections-page.js';
import { dataPage } from './data-page.js';
import { el, keepFocus } from './dom.js';
import { faultsPage } from './faults-page.js';
import { framesPage, recordFrames } from './frames-page.js';
import { handleKeys } from './keys.js';
import { hideError, hideUnanswered } from './action.js';
import { settingsPage } from './settings-page.js';
import { showNoCommand } from './command-panel.js';
import { snapshotsPage } from './snapshots-page.js';
import { Stream } from './stream.js';
import { askForToken, token, watchToken } from './token.js';
import { webhooksPage } from './webhooks-page.js';

/** The pages. The number keys open them in this order. */
const PAGES = [
  framesPage,
  connectionsPage,
  dataPage,
  actPage,
  faultsPage,
  webhooksPage,
  clockPage,
  snapshotsPage,
  settingsPage,
];

const STATES = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, retrying',
  unauthorized: 'The control token is missing',
};

const state = document.getElementById('stream-state');
const stream = new Stream((name) => {
  if (state.dataset.state === name) return;
  state.dataset.state = name;
  state.textContent = STATES[name];
});

const root = document.getElementById('page');
const tabs = document.getElementById('tabs');
let unmount = () => {};

/** Returns the parts of an address: `#data/demo/users?x=1`. */
function address() {
  const [path, query = ''] = location.hash.slice(1).split('?');
  const [id, ...segments] = path.split('/').map(decodeSegment);
  return { id, segments, query: new URLSearchParams(query) };
}

function decodeSegment(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function open() {
  const { id, segments, query } = address();
  const page = PAGES.find((it) => it.id === id) ?? PAGES[0];
  unmount();
  hideError();
  keepFocus(root, () => root.replaceChildren(el('h2', { class: 'hidden' }, page.title)));
  root.className = `page page-${page.id}`;
  document.title = `${page.title} – Talk emulator`;
  for (const link of tabs.querySelectorAll('a')) {
    if (link.getAttribute('href') === `#${page.id}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  unmount = page.mount(root, { stream, segments, query }) ?? (() => {});
}

const press = (id) => document.getElementById(id)?.click();
const openTab = (page) => {
  location.hash = page.id;
  tabs.querySelector(`a[href="#${page.id}"]`).focus();
};

for (const page of PAGES) tabs.append(el('a', { href: `#${page.id}` }, page.title));
handleKeys([
  ...PAGES.map((page, i) => [String(i + 1), page.title, () => openTab(page)]),
  ['/', 'Frames: search', () => document.getElementById('frame-search')?.focus()],
  ['p', 'Frames: pause or resume', () => press('frame-pause')],
  ['x', 'Frames: clear', () => press('frame-clear')],
  ['↑ ↓', 'Frames: select a row of the list; also Page Up, Page Down, Home and End'],
  ['Enter', 'Frames: go to the content of the selected row'],
  ['Esc', 'Leave a field, or cancel a dialog'],
  ['?', 'Show the shortcuts', () => document.querySelector('#shortcuts summary').click()],
]);

const tokenButton = document.getElementById('token-button');
watchToken((isDeclined) => {
  tokenButton.hidden = !isDeclined;
});
tokenButton.addEventListener('click', async () => {
  if (!(await askForToken(token(), true))) return;
  stream.retry();
  open();
});

showNoCommand();
recordFrames(stream);
stream.on('connected', hideUnanswered);
addEventListener('hashchange', open);
open();
stream.run();
