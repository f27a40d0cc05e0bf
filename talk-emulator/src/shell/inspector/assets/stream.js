// The event stream of the emulator. It reconnects and resumes after the last event.
import { authorizedFetch } from './api.js';
import { SseParser } from './sse.js';

/** The delays before reconnects, in ms. */
const FIRST_DELAY = 250;
const MAX_DELAY = 4000;

/** A stream without data for this time is lost, in ms. The emulator sends a comment every 15 s. */
const SILENCE = 40_000;

export class Stream {
  #listeners = new Map();
  #onState;
  #last = 0;
  #instance = null;
  #delay = FIRST_DELAY;
  #lostAt = null;
  #retryNow = () => {};

  /** `onState` receives `connecting`, `live`, `lost`, or `unauthorized`. */
  constructor(onState) {
    this.#onState = onState;
  }

  /**
   * Adds a listener for a type of events, and returns a function that removes it. Besides the types of
   * the emulator there are `connected`, after each connection and with the time without one in ms,
   * and `restarted`.
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Runs the stream until the page ends. */
  async run() {
    addEventListener('online', () => this.#retryNow());
    document.addEventListener('visibilitychange', () => this.#retryNow());
    this.#onState('connecting');
    for (;;) {
      let state = 'lost';
      try {
        state = await this.#connect();
      } catch {
        // The reason is not known to scripts. The next attempt shows whether it has passed.
      }
      this.#lostAt ??= Date.now();
      this.#onState(state);
      await this.#pause();
    }
  }

  /** Connects now instead of after the pause. */
  retry() {
    this.#retryNow();
  }

  #pause() {
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, MAX_DELAY);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#retryNow = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Follows the stream until it is lost. Returns the new state. */
  async #connect() {
    const abort = new AbortController();
    let timer = setTimeout(() => abort.abort(), SILENCE);
    try {
      const response = await authorizedFetch(`events?after=${this.#last}`, {
        signal: abort.signal,
        headers: { 'Last-Event-ID': String(this.#last) },
      });
      if (!response.ok) return response.status === 401 ? 'unauthorized' : 'lost';
      const parser = new SseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      this.#delay = FIRST_DELAY;
      this.#onState('live');
      this.#emit('connected', { away: this.#lostAt === null ? 0 : Date.now() - this.#lostAt });
      this.#lostAt = null;
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return 'lost';
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), SILENCE);
        for (const event of parser.push(value)) {
          if (!this.#accept(event)) return 'lost';
        }
      }
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  /** Handles an event. Returns `false` if the stream must begin again. */
  #accept({ type, id, data }) {
    if (type === 'hello') return this.#greet(data);
    // A page that begins misses nothing.
    if (type === 'gap' && this.#last === 0) return true;
    if (id !== null) {
      if (id <= this.#last) return true;
      this.#last = id;
    }
    this.#emit(type, data);
    return true;
  }

  /** The ids of a restarted emulator begin again. */
  #greet({ instance }) {
    const isRestart = this.#instance !== null && this.#instance !== instance;
    this.#instance = instance;
    if (!isRestart) return true;
    const isResumed = this.#last > 0;
    this.#last = 0;
    this.#emit('restarted', {});
    return !isResumed;
  }

  #emit(type, data) {
    for (const listener of this.#listeners.get(type) ?? []) listener(data);
  }
}
