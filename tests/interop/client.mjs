// The published client with a WebSocket implementation, because Node 20 has none. With
// TALK_TRACE=1, every frame is printed on standard error.
import { getTalkSession, registerPolyfills } from '@talkjs/core';
import { WebSocket } from 'ws';

const TRACE = process.env.TALK_TRACE === '1';

class Socket extends WebSocket {
  constructor(...args) {
    super(...args);
    // In a browser, closing a socket while it opens throws no error. This one would throw.
    this.on('error', () => {});
    this.on('open', () => this.trace('open'));
    this.on('message', (text) => this.trace('<', String(text)));
    this.on('close', (code) => this.trace('closed', code));
  }

  send(text, ...rest) {
    this.trace('>', text);
    super.send(text, ...rest);
  }

  trace(...line) {
    if (TRACE) console.error(Date.now(), new URL(this.url).pathname, ...line);
  }
}

registerPolyfills({ WebSocket: Socket });

export { getTalkSession };
