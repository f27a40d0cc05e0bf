// Modal dialogs.
import { button, el } from './dom.js';

/** Shows a dialog. Resolves to `true` if it was confirmed, and to `false` if it was cancelled. */
export function openDialog(title, content, confirmLabel, isDestructive = false) {
  return new Promise((resolve) => {
    const dialog = el('dialog', { 'aria-label': title });
    const form = el(
      'form',
      { method: 'dialog', class: 'dialog' },
      el('h2', {}, title),
      content,
      el(
        'p',
        { class: 'actions' },
        button('Cancel', () => dialog.close('')),
        el('button', { value: 'yes', class: isDestructive ? 'danger' : 'primary' }, confirmLabel),
      ),
    );
    // The policy `form-action 'none'` may also cover submissions that close a dialog.
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      dialog.close('yes');
    });
    dialog.append(form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Requests a confirmation of a destructive action. */
export const confirmAction = (title, text) => openDialog(title, el('p', {}, text), title, true);
