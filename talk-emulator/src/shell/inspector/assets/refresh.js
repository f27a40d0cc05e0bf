// Data of a page that is loaded again when it changes.
import { showError } from './action.js';

/** The shortest time between two loads because of events, in ms. */
const PAUSE = 150;

/**
 * Loads data now, after each event of the given types, and after each connection and gap of the stream.
 * Loads do not overlap. Returns functions to load now and to stop. The result of `reload` resolves after
 * a load that began after the call, even if the data changes all the time.
 */
export function keepFresh(stream, types, load) {
  let isStopped = false;
  let isRunning = false;
  let isStale = false;
  let waiting = [];

  const loadWhileStale = async () => {
    isRunning = true;
    while (isStale && !isStopped) {
      isStale = false;
      const served = waiting;
      waiting = [];
      try {
        await load();
      } catch (error) {
        if (!isStopped) showError(error);
      }
      for (const resolve of served) resolve();
      if (isStale) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    for (const resolve of waiting) resolve();
    isRunning = false;
  };
  const reload = () =>
    new Promise((resolve) => {
      if (isStopped) return resolve();
      isStale = true;
      waiting.push(resolve);
      if (!isRunning) loadWhileStale();
    });
  const stops = ['connected', 'restarted', 'gap', ...types].map((type) => stream.on(type, reload));
  reload();
  return {
    reload,
    stop() {
      isStopped = true;
      for (const stop of stops) stop();
    },
  };
}
