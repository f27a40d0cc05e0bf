// The panel with the command of the last action.
import { button, el, fill } from './dom.js';
import { copyWithFeedback } from './clipboard.js';
import { pretty, size } from './format.js';

/** Commands and answers above this length are cut in the panel. */
const MAX_SHOWN = 20_000;

const cut = (text) => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

/** Shows a command, and its answer or the reason that there is none. */
export function showCommand({ command, status, answer = '', failure }) {
  const code = el('code', { id: 'command-text' }, cut(command));
  const copyButton = button('Copy command', () => copyWithFeedback(copyButton, command));
  const isOk = status >= 200 && status < 300;
  const badge =
    failure === undefined
      ? el('span', { class: `status ${isOk ? 'ok' : 'bad'}` }, String(status))
      : el('span', { class: 'status bad' }, failure);
  const shown = pretty(cut(answer));
  fill(
    document.getElementById('command'),
    el('pre', { tabindex: '0', 'aria-label': 'Command' }, code),
    el(
      'div',
      { class: 'command-bar' },
      copyButton,
      el('span', { id: 'command-status', role: 'status' }, badge),
      el(
        'details',
        { class: 'answer' },
        el('summary', {}, `Answer (${size(answer.length)})`),
        el('pre', { id: 'command-answer', tabindex: '0', 'aria-label': 'Answer' }, shown),
      ),
    ),
  );
}

/** Shows the panel before the first action. */
export function showNoCommand() {
  const text = 'Each action shows its curl command here.';
  fill(document.getElementById('command'), el('p', { class: 'empty' }, text));
}
