// Actions of buttons and forms: one at a time, with their errors on the page.
import { fill } from './dom.js';

const area = () => document.getElementById('alert');

/** Shows an error until the next action. */
export function showError(error) {
  fill(area(), error instanceof TypeError ? 'The emulator does not answer.' : error.message);
  area().hidden = false;
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
  return run(control, () => action(control)).then(() => refocus(control));
};

/** Returns a listener that runs an action with the values of a form. */
export const onSubmit = (action) => (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const control = event.submitter ?? form.querySelector('button:not([type=button])');
  return run(control, () => action(new FormData(form), form, control)).then(() => refocus(control));
};

/** Returns the focus to a control that lost it when it was disabled. */
function refocus(control) {
  if (control?.isConnected && document.activeElement === document.body) control.focus();
}
