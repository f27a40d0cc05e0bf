import { el } from './dom.js';

/** Copies text. Pages under a host name without TLS have no clipboard API and use a selection. */
export async function copy(text) {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch {
      // The browser may refuse the permission.
    }
  }
  const area = el('textarea', { class: 'hidden', 'aria-hidden': 'true' });
  area.value = text;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  focused?.focus();
}

/** Copies text and confirms it on the button for a moment. */
export async function copyWithFeedback(button, text) {
  await copy(text);
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = label;
  }, 1200);
}
