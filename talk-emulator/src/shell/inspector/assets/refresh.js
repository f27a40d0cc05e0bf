// Data of a page that is loaded again when it changes.
import { showError } from './action.js';

/** The shortest time between two loads because of events, in ms. */
const PAUSE = 150;

/**
 * Loads data now, after each event of the given types, and after each connection and gap of the stream.
 * Loads do not overlap. Returns functions to load now and to stop.
 */
export function keepFresh(stream, types, load) {
  let isStopped = false;
  let isStale = false;
  let running = null;

  const once = async () => {
    do {
      isStale = false;
      try {
        await load();
      } catch (error) {
        if (!isStopped) showError(error);
      }
      if (isStale) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    } while (isStale && !isStopped);
    running = null;
  };
  const reload = () => {
    if (isStopped) return Promise.resolve();
    isStale = true;
    running ??= once();
    return running;
  };
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
