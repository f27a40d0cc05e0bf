// The control token. It is needed from another machine, or under a host name that is not a loopback name, and
// stays in this tab.
import { el, labelled } from './dom.js';
import { openDialog } from './dialog.js';

const KEY = 'talk-emulator-token';

/** Returns the token of this tab, or null. */
export const token = () => sessionStorage.getItem(KEY);

/** Returns the headers that authorize a request. */
export function authorization() {
  const value = token();
  return value === null ? {} : { Authorization: `Bearer ${value}` };
}

let asking = null;

/** Requests the token from the user. Overlapping calls share a dialog. */
export function askForToken() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask() {
  const input = el('input', {
    type: 'password',
    name: 'token',
    autocomplete: 'off',
    required: true,
  });
  const text =
    'From another machine, or under this host name, the emulator requires the token of TALK_CONTROL_TOKEN.';
  const confirmed = await openDialog(
    'Token required',
    [el('p', {}, text), labelled('Control token', input)],
    'Continue',
  );
  if (confirmed && input.value !== '') sessionStorage.setItem(KEY, input.value);
  return confirmed;
}
