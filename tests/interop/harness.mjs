// What all checks share: sessions, waiting for a snapshot, and one JSON line per check.
import assert from 'node:assert/strict';
import { getTalkSession } from './client.mjs';

/** How long anything may take that should happen at once, in ms. */
const PATIENCE = 10_000;

let failed = 0;
let done = 0;

/** Runs one check and reports it as one line; a check that fails does not stop the others. */
export async function check(name, body) {
  let report = { check: name, ok: true };
  try {
    await body();
  } catch (error) {
    failed += 1;
    report = { check: name, ok: false, error: String(error?.stack ?? error) };
  }
  done += 1;
  console.log(JSON.stringify(report));
}

/** The last line: how many checks ran and failed. */
export function finish() {
  console.log(JSON.stringify({ done, failed }));
  process.exit(failed === 0 ? 0 : 1);
}

/** An app of its own for each group of checks, so that they can run side by side. */
export class World {
  constructor(host, app) {
    this.host = host;
    this.app = app;
  }

  session(user, options = {}) {
    return getTalkSession({ appId: this.app, userId: user, host: this.host, ...options });
  }

  /** Sessions of users that exist, in the order of their ids. */
  async users(...ids) {
    const sessions = ids.map((id) => this.session(id));
    await Promise.all(
      sessions.map((session, i) => session.currentUser.createIfNotExists({ name: nameOf(ids[i]) })),
    );
    return sessions;
  }

  /** A conversation that the first session makes and the others join; everybody's view of it. */
  async conversation(id, sessions) {
    const [creator, ...others] = sessions;
    const made = creator.conversation(id);
    await made.createIfNotExists({ subject: `About ${id}` });
    await Promise.all(
      others.map((other) => made.participant(other.currentUser.id).createIfNotExists()),
    );
    return sessions.map((session) => session.conversation(id));
  }
}

export const nameOf = (id) => id[0].toUpperCase() + id.slice(1);

/** Follows a subscription: `watch((callback) => conversation.subscribe(callback))`. */
export function watch(subscribe) {
  const watched = { all: [], latest: undefined, loadedAll: undefined };
  const waiting = new Set();
  watched.subscription = subscribe((snapshot, loadedAll) => {
    watched.latest = snapshot;
    watched.loadedAll = loadedAll;
    watched.all.push(snapshot);
    for (const look of [...waiting]) look();
  });
  watched.until = (what, holds, patience = PATIENCE) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (watched.latest === undefined || !holds(watched.latest)) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(watched.latest);
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`never saw ${what}; the last was ${JSON.stringify(watched.latest)}`));
      }, patience);
      waiting.add(look);
      look();
    });
  return watched;
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves like `promise`, or fails when it takes too long. */
export function soon(promise, what = 'an answer', patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks until the answer is as it should be: a client that shows a thing answers from memory, and is
 * told of what others change on a socket of its own. */
export async function comesTo(holds, ask) {
  const deadline = Date.now() + PATIENCE;
  let answer = await soon(ask());
  while (!holds(answer)) {
    assert.ok(Date.now() < deadline, `the last answer was ${JSON.stringify(answer)}`);
    await wait(10);
    answer = await soon(ask());
  }
}

/** The call must be refused, with this status or code in what the client says. */
export async function refused(promise, code) {
  await assert.rejects(soon(promise), new RegExp(`status (code )?[0-9A-Z_ ]*${code}`));
}

export { assert };
