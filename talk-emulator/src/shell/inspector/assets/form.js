// Forms with labelled fields.
import { button, el, fill, labelled } from './dom.js';
import { onSubmit, run } from './action.js';

/**
 * Creates a field: `{ name, label, type, value, options, required, hint }`. The type is that of an
 * input, or `textarea`, `json` or `select`.
 */
export function field({ name, label, type = 'text', value, options, hint, ...attributes }) {
  const common = { name, autocomplete: 'off', ...attributes };
  let control;
  if (type === 'select') {
    const items = options.map((option) => (Array.isArray(option) ? option : [option, option]));
    control = el(
      'select',
      common,
      items.map(([key, text]) => el('option', { value: key, selected: key === value }, text)),
    );
  } else if (type === 'textarea' || type === 'json') {
    control = el('textarea', { ...common, rows: '3', spellcheck: 'false', 'data-type': type });
    control.value = value ?? '';
  } else if (type === 'checkbox') {
    control = el('input', { ...common, type, checked: value === true });
    return el('label', { class: 'check' }, control, label);
  } else {
    control = el('input', { ...common, type, value: value ?? '' });
  }
  return labelled(label, control, hint);
}

/** Returns the values of a form. JSON fields are parsed; empty and disabled fields are `undefined`. */
export function valuesOf(form) {
  const values = {};
  for (const control of form.elements) {
    if (control.name === '' || control.disabled) continue;
    if (control.type === 'checkbox') values[control.name] = control.checked;
    else if (control.value.trim() === '') values[control.name] = undefined;
    else if (control.dataset.type === 'json') values[control.name] = parse(control);
    else if (control.type === 'number') values[control.name] = Number(control.value);
    else values[control.name] = control.value;
  }
  return values;
}

function parse(control) {
  try {
    return JSON.parse(control.value);
  } catch (error) {
    const label = control.labels[0]?.textContent ?? control.name;
    throw new Error(`${label} is not valid JSON: ${error.message}`);
  }
}

/** Creates a form on the page. `action` receives the values and the form. */
export function pageForm(label, fields, submitLabel, action, attributes = {}) {
  return el(
    'form',
    {
      class: 'form',
      'aria-label': label,
      onsubmit: onSubmit((_, form) => action(valuesOf(form), form)),
      ...attributes,
    },
    fields,
    el('p', { class: 'actions' }, el('button', {}, submitLabel)),
  );
}

/**
 * Shows a form in a dialog. It stays open until the action succeeds or it is cancelled; then the result
 * resolves. The action receives the values, and those at the beginning: controls may change a value, for
 * example its line ends.
 */
export function openForm(title, fields, submitLabel, action) {
  const message = el('p', { class: 'bad', role: 'alert' });
  const submit = el('button', { class: 'primary' }, submitLabel);
  const dialog = el('dialog', { 'aria-label': title });
  const form = el(
    'form',
    {
      class: 'dialog',
      onsubmit: async (event) => {
        event.preventDefault();
        fill(message);
        let failure = null;
        await run(submit, async () => {
          try {
            await action(valuesOf(form), initial);
          } catch (error) {
            failure = error;
          }
        });
        if (failure === null) dialog.close();
        else fill(message, failure.message);
      },
    },
    el('h2', {}, title),
    el('div', { class: 'fields' }, fields),
    message,
    el(
      'p',
      { class: 'actions' },
      button('Cancel', () => dialog.close()),
      submit,
    ),
  );
  dialog.append(form);
  const initial = valuesOf(form);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
