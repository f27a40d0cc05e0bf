// The control token. It is needed from another machine, or under a host name that is not a loopback name, and
// stays in this tab.
import { el, labelled } from './dom.js';
import { openDialog } from './dialog.js';

const KEY = 'talk-emulator-token';

/** The characters of a token. A header cannot contain others. */
const VALID = /^[\x21-\x7e]+$/;

/** Returns the token of this tab, or null. */
export function token() {
  const value = sessionStorage.getItem(KEY);
  return VALID.test(value ?? '') ? value : null;
}

/** Returns the headers that authorize a request. */
export function authorization() {
  const value = token();
  return value === null ? {} : { Authorization: `Bearer ${value}` };
}

let asking = null;
let isDeclined = false;
let onDecline = () => {};

/** Sets the function that is called with `true` when the user declines, and with `false` later. */
export function watchToken(listener) {
  onDecline = listener;
}

/**
 * Requests the token from the user after the refusal of a request with the token `used`, or null. Resolves
 * to `true` if there is another token. Overlapping calls share a dialog. After a cancelled dialog, there is
 * no other one until `isWanted`.
 */
export async function askForToken(used, isWanted = false) {
  if (token() !== used) return true;
  if (isDeclined && !isWanted) return false;
  asking ??= ask(used).finally(() => {
    asking = null;
  });
  return asking;
}

async function ask(used) {
  let refusal = used === null ? null : 'The emulator refused this token.';
  sessionStorage.removeItem(KEY);
  for (;;) {
    const value = await enter(refusal);
    isDeclined = value === null;
    onDecline(isDeclined);
    if (isDeclined) return false;
    if (VALID.test(value)) {
      sessionStorage.setItem(KEY, value);
      return true;
    }
    refusal = 'A token consists of letters, digits and punctuation of ASCII, without spaces.';
  }
}

/** Shows the dialog. Returns the entered value, or null. */
async function enter(refusal) {
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
    [
      el('p', {}, text),
      refusal === null ? null : el('p', { class: 'bad', role: 'alert' }, refusal),
      labelled('Control token', input),
    ],
    'Continue',
  );
  return confirmed ? input.value : null;
}
