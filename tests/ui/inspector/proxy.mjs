// A TCP proxy between the browser and an emulator, which can be cut and moved to another emulator.
import net from 'node:net';
import { once } from 'node:events';

export class Proxy {
  #server = net.createServer((client) => this.#accept(client));
  #sockets = new Set();
  #isDown = false;
  #target;

  /** Starts a proxy in front of `host`. */
  static async start(host) {
    const proxy = new Proxy();
    proxy.moveTo(host);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.host = `127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  #accept(client) {
    const server = net.connect(this.#target);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    if (this.#isDown) client.destroy();
  }

  moveTo(host) {
    const [name, port] = host.split(':');
    this.#target = { host: name, port: Number(port) };
  }

  /** Cuts all connections, and refuses new ones until `up`. */
  down() {
    this.#isDown = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  up() {
    this.#isDown = false;
  }

  stop() {
    this.down();
    this.#server.close();
  }
}
