// The keyboard shortcuts.
import { el } from './dom.js';

const TEXT_INPUTS =
  'input:not([type=checkbox]):not([type=file]), textarea, select, [contenteditable]';

/** Lists the shortcuts in the footer and handles them. `shortcuts` are triples of key, text and action. */
export function handleKeys(shortcuts) {
  const list = document.querySelector('#shortcuts dl');
  for (const [key, text] of shortcuts) {
    list.append(el('div', {}, el('dt', {}, el('kbd', {}, key)), el('dd', {}, text)));
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (event.target.closest?.(TEXT_INPUTS)) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const shortcut = shortcuts.find(([key]) => key === event.key);
    if (shortcut?.[2] === undefined) return;
    event.preventDefault();
    shortcut[2]();
  });
}
