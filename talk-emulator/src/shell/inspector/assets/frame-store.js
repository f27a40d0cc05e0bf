// The received frames of the page, bounded as the ring of the emulator.

const MAX_FRAMES = 5000;
const MAX_BYTES = 8 << 20;

/** The bytes of an item besides its text. */
const OVERHEAD = 256;

const costOf = (item) => OVERHEAD + (item.text?.length ?? 0);
const keyOf = (frame) => `${frame.connection} ${frame.id}`;
const hasId = (frame) => frame.id !== null && frame.id !== undefined;

/** Returns `true` if the frame is the answer to a request. */
export const isAnswer = (frame) => frame.status !== undefined && frame.status !== null;

export class FrameStore {
  /** Frames and notes, oldest first. */
  items = [];
  #bytes = 0;
  #requests = new Map();
  #answers = new Map();

  /** Adds a frame. An answer without method and path takes them from its request. */
  add(frame) {
    if (hasId(frame)) this.#link(frame);
    this.#push(frame);
  }

  /** Adds a line about the stream, such as a gap. */
  addNote(note) {
    this.#push({ note, n: `note-${crypto.getRandomValues(new Uint32Array(1))[0]}` });
  }

  #link(frame) {
    const key = keyOf(frame);
    if (!isAnswer(frame)) {
      if (frame.direction === 'in') this.#requests.set(key, frame);
      return;
    }
    const request = this.#requests.get(key);
    if (request === undefined) return;
    frame.method ??= request.method;
    frame.path ??= request.path;
    this.#answers.set(key, frame);
  }

  #push(item) {
    this.items.push(item);
    this.#bytes += costOf(item);
    let excess = 0;
    while (this.items.length - excess > MAX_FRAMES || this.#bytes > MAX_BYTES) {
      this.#forget(this.items[excess]);
      excess += 1;
    }
    if (excess > 0) this.items.splice(0, excess);
  }

  #forget(item) {
    this.#bytes -= costOf(item);
    if (item.note !== undefined || !hasId(item)) return;
    const key = keyOf(item);
    if (this.#requests.get(key) === item) this.#requests.delete(key);
    if (this.#answers.get(key) === item) this.#answers.delete(key);
  }

  /** Returns the request of an answer, or the answer to a request. */
  counterpart(frame) {
    if (!hasId(frame)) return undefined;
    return (isAnswer(frame) ? this.#requests : this.#answers).get(keyOf(frame));
  }

  clear() {
    this.items = [];
    this.#bytes = 0;
    this.#requests.clear();
    this.#answers.clear();
  }
}
