// Shared code of the checks: sessions, waits for snapshots, and a JSON line per check.
import assert from 'node:assert/strict';
import { getTalkSession } from './client.mjs';

/** The time limit of actions that should be immediate, in ms. */
const PATIENCE = 10_000;

/** The time limit of a check, in ms. A check that hangs fails under its name, and the others run. */
const CHECK_PATIENCE = 120_000;

let failed = 0;
let done = 0;

/** Runs a check and prints its result as a line. Other checks run even if it fails. */
export async function check(name, body) {
  let report = { check: name, ok: true };
  try {
    await soon(body(), 'end of the check', CHECK_PATIENCE);
  } catch (error) {
    failed += 1;
    report = { check: name, ok: false, error: String(error?.stack ?? error) };
  }
  done += 1;
  console.log(JSON.stringify(report));
}

/** Prints the last line: the number of checks and of failures. */
export function finish() {
  console.log(JSON.stringify({ done, failed }));
  process.exit(failed === 0 ? 0 : 1);
}

/** A separate app for each group of checks, so that groups can run in parallel. */
export class World {
  constructor(host, app) {
    this.host = host;
    this.app = app;
  }

  session(user, options = {}) {
    return getTalkSession({ appId: this.app, userId: user, host: this.host, ...options });
  }

  /** Creates users and returns their sessions, in the order of the ids. */
  async users(...ids) {
    const sessions = ids.map((id) => this.session(id));
    await Promise.all(
      sessions.map((session, i) => session.currentUser.createIfNotExists({ name: nameOf(ids[i]) })),
    );
    return sessions;
  }

  /** Creates a conversation of all sessions, and returns the view of each. */
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

/** Records a subscription: `watch((callback) => conversation.subscribe(callback))`. */
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

/** Resolves like `promise`, or fails after a time limit. */
export function soon(promise, what = 'an answer', patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Repeats a call until its answer satisfies `holds`. A client with a subscription answers from
 * memory, and receives the changes of others over its own socket, possibly later. */
export async function comesTo(holds, ask) {
  const deadline = Date.now() + PATIENCE;
  let answer = await soon(ask());
  while (!holds(answer)) {
    assert.ok(Date.now() < deadline, `the last answer was ${JSON.stringify(answer)}`);
    await wait(10);
    answer = await soon(ask());
  }
}

/** Asserts that the call is refused with this status or code in the client's message. */
export async function refused(promise, code) {
  await assert.rejects(soon(promise), new RegExp(`status (code )?[0-9A-Z_ ]*${code}`));
}

export { assert };
