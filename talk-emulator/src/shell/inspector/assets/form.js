// Forms with labelled fields.
import { button, el, fill, labelled, rememberFocus } from './dom.js';
import { onSubmit, run } from './action.js';

/**
 * Creates a field: `{ name, label, type, value, options, required, hint }`. The type is that of an
 * input, or `textarea`, `object` (a JSON object) or `select`.
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
  } else if (type === 'textarea' || type === 'object') {
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

/** Returns the values of a form. JSON objects are parsed; empty and disabled fields are `undefined`. */
export function valuesOf(form) {
  const values = {};
  for (const control of form.elements) {
    if (control.name === '' || control.disabled) continue;
    if (control.type === 'checkbox') values[control.name] = control.checked;
    else if (control.value.trim() === '') values[control.name] = undefined;
    else if (control.dataset.type === 'object') values[control.name] = parse(control);
    else if (control.type === 'number') values[control.name] = Number(control.value);
    else values[control.name] = control.value;
  }
  return values;
}

function parse(control) {
  const label = control.labels[0]?.textContent ?? control.name;
  let value;
  try {
    value = JSON.parse(control.value);
  } catch (error) {
    throw new Error(`${label} is not valid JSON: ${error.message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${label} must be a JSON object, such as {"key": "value"}.`);
  }
  return value;
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
  const refocus = rememberFocus(document.activeElement);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      refocus();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
