// The page with the time of the emulator.
import { button, el, fill } from './dom.js';
import { dateTime } from './format.js';
import { field, pageForm } from './form.js';
import { keepFresh } from './refresh.js';
import { onClick } from './action.js';
import { perform, read } from './api.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const PRESETS = [
  ['10 seconds', 10 * SECOND],
  ['1 minute', MINUTE],
  ['10 minutes', 10 * MINUTE],
  ['1 hour', HOUR],
  ['1 day', DAY],
  ['30 days', 30 * DAY],
];

const UNITS = [
  [String(SECOND), 'seconds'],
  [String(MINUTE), 'minutes'],
  [String(HOUR), 'hours'],
  [String(DAY), 'days'],
];

function mount(root, { stream }) {
  const time = el('p', { class: 'clock', id: 'clock' });
  const ahead = el('p', { class: 'empty' });
  let offset = null;
  const show = () => {
    if (offset === null) return;
    fill(time, dateTime(Date.now() + offset));
    const seconds = Math.round(offset / SECOND);
    fill(
      ahead,
      seconds === 0 ? 'The time of this machine.' : `${seconds} s ahead of this machine.`,
    );
  };
  const fresh = keepFresh(stream, ['clock'], async () => {
    const { now } = await read('clock');
    offset = now - Date.now();
    show();
  });
  const advance = async (advanceMs) => {
    await perform('POST', 'clock', { advanceMs });
    await fresh.reload();
  };
  const timer = setInterval(show, SECOND);
  root.append(
    el('section', { class: 'card' }, el('h3', {}, 'Time of the emulator'), time, ahead),
    el(
      'section',
      { class: 'card' },
      el('h3', {}, 'Advance'),
      el(
        'p',
        { class: 'actions' },
        PRESETS.map(([label, ms]) =>
          button(
            label,
            onClick(() => advance(ms)),
          ),
        ),
      ),
      pageForm(
        'Advance',
        [
          field({
            name: 'amount',
            label: 'By',
            type: 'number',
            min: '1',
            value: '1',
            required: true,
          }),
          field({
            name: 'unit',
            label: 'Unit',
            type: 'select',
            options: UNITS,
            value: UNITS[1][0],
          }),
        ],
        'Advance',
        ({ amount, unit }) => advance(Math.round(amount * Number(unit))),
      ),
      el(
        'p',
        { class: 'empty' },
        'Sessions expire, users stop typing, delayed faults strike and webhooks are retried as they become due. The time does not go back.',
      ),
    ),
  );
  return () => {
    clearInterval(timer);
    fresh.stop();
  };
}

export const clockPage = { id: 'clock', title: 'Clock', mount };
