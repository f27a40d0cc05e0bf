// The choice of an app.
import { read } from './api.js';
import { el, fill, labelled } from './dom.js';

/** The app that was chosen last, for all pages. */
let chosen = null;

/** Returns the apps, with the chosen one first if it has no data yet. */
export async function loadApps(current) {
  const { apps } = await read('apps');
  if (current !== undefined) chosen = current;
  if (chosen === null || (current === undefined && !apps.includes(chosen)))
    chosen = apps[0] ?? null;
  return chosen !== null && !apps.includes(chosen) ? [chosen, ...apps] : apps;
}

export const chosenApp = () => chosen;

/** Creates the choice. `onChoose` receives the id of the app. */
export function appChoice(onChoose) {
  const select = el('select', {
    name: 'app',
    'data-key': 'app',
    onchange: () => onChoose(select.value),
  });
  return {
    element: labelled('App', select),
    /** Shows the apps, and selects the chosen one. */
    show(apps) {
      fill(
        select,
        apps.map((app) => el('option', { value: app, selected: app === chosen }, app)),
      );
    },
  };
}
