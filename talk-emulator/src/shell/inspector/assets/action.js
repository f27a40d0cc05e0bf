// Actions of buttons and forms: one at a time, with their errors on the page.
import { fill, rememberFocus } from './dom.js';

/** The error for a request without an answer. */
export class UnansweredError extends Error {
  constructor() {
    super('The emulator does not answer.');
  }
}

const area = () => document.getElementById('alert');

/** Set while the last error is that of a request without an answer. */
let isUnanswered = false;

/** Shows an error until the next action. */
export function showError(error) {
  isUnanswered = error instanceof UnansweredError;
  fill(area(), error.message);
  area().hidden = false;
}

/** Hides the last error if the emulator answers again. */
export function hideUnanswered() {
  if (isUnanswered) hideError();
}

/** Hides the last error. */
export function hideError() {
  area().hidden = true;
}

/** Runs an action while its control is disabled. Returns `false` if it failed. */
export async function run(control, action) {
  hideError();
  if (control !== null) control.disabled = true;
  try {
    await action();
    return true;
  } catch (error) {
    showError(error);
    return false;
  } finally {
    if (control !== null) control.disabled = false;
  }
}

/** Returns a listener that runs an action for the clicked button. */
export const onClick = (action) => (event) => {
  const control = event.currentTarget;
  const refocus = rememberFocus(control);
  return run(control, () => action(control)).then(refocus);
};

/** Returns a listener that runs an action with the values of a form. */
export const onSubmit = (action) => (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const control = event.submitter ?? form.querySelector('button:not([type=button])');
  const refocus = rememberFocus(control);
  return run(control, () => action(new FormData(form), form, control)).then(refocus);
};
