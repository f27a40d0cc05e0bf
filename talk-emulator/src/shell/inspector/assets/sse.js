// The format of server-sent events. It is parsed here because `EventSource` sends no headers.

export class SseParser {
  #rest = '';
  #event = { type: 'message', id: null, data: [] };

  /** Parses a part of the stream, and returns the events that end in it. */
  push(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    const events = [];
    for (const line of lines) {
      const event = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  #line(line) {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event.type = value;
    else if (name === 'id') this.#event.id = Number(value);
    else if (name === 'data') this.#event.data.push(value);
    return null;
  }

  #end() {
    const { type, id, data } = this.#event;
    this.#event = { type: 'message', id: null, data: [] };
    return data.length === 0 ? null : { type, id, data: JSON.parse(data.join('\n')) };
  }
}
