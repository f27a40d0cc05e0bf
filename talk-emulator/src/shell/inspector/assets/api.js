// Requests to the emulator.
import { UnansweredError } from './action.js';
import { askForToken, authorization, token } from './token.js';
import { curlCommand } from './curl.js';
import { inBatch, sendable } from './request.js';
import { showCommand } from './command-panel.js';

/** The address of the control API, with a slash at the end. */
export const BASE = new URL('.', location.href);

/** The error for an answer that refuses a request. */
export class RefusedError extends Error {
  constructor(status, answer) {
    super(reasonOf(answer) ?? `The emulator answered with status ${status}.`);
    this.status = status;
  }
}

function reasonOf(answer) {
  const reasons = answer?.reasons;
  if (Array.isArray(reasons) && reasons.length > 0) return reasons.join(' ');
  return answer?.errorCode ?? (typeof answer === 'string' ? answer : undefined);
}

/** Sends a request, and requests the control token if the emulator requires it. */
export async function authorizedFetch(path, init = {}) {
  for (;;) {
    const used = token();
    const request = fetch(new URL(path, BASE), {
      ...init,
      cache: 'no-store',
      headers: { ...init.headers, ...authorization() },
    });
    const response = await request.catch(() => {
      throw new UnansweredError();
    });
    if (response.status !== 401 || !(await askForToken(used))) return response;
  }
}

async function send({ method, path, text: body, unwrap }) {
  const init = { method };
  if (body !== undefined) {
    init.body = body;
    init.headers = { 'Content-Type': 'application/json' };
  }
  const response = await authorizedFetch(path, init);
  const text = await response.text().catch(() => {
    throw new UnansweredError();
  });
  let data = text;
  try {
    data = JSON.parse(text);
  } catch {
    // An answer without JSON is kept as text.
  }
  return unwrap({ status: response.status, text, data, ok: response.ok });
}

/** Reads from the emulator. */
export async function read(path) {
  const answer = await send(sendable('GET', path));
  if (!answer.ok) throw new RefusedError(answer.status, answer.data);
  return answer.data;
}

/**
 * Returns an object of the REST API, such as `['users', 'alice']`, or null if there is none. The read is in
 * a batch: the browser would report the status 404 as an error.
 */
export async function find(app, segments) {
  const encoded = segments.map(encodeURIComponent);
  const { status, data } = await send(inBatch(encodeURIComponent(app), 'GET', encoded));
  return status === 200 ? data : null;
}

/** Throws an error if the REST API has an object, because its creation would change it. */
export async function checkIsNew(app, segments, message) {
  if ((await find(app, segments)) !== null) throw new Error(message);
}

/**
 * Sends a request of a user, as over a WebSocket. `text` is markup that becomes the content of a message.
 * `isAction` shows its command; reads of the page do not.
 */
export async function actAs({ app, user, method, path, data, text }, isAction = true) {
  const body = { app, user, method, path, data, text };
  const answer = isAction ? await perform('POST', 'act', body) : await readAct(body);
  if (answer.status >= 400) throw new RefusedError(answer.status, answer.data);
  return answer.data;
}

async function readAct(body) {
  const answer = await send(sendable('POST', 'act', JSON.stringify(body)));
  if (!answer.ok) throw new RefusedError(answer.status, answer.data);
  return answer.data;
}

/**
 * Performs an action of the user, and shows its command and its answer. `options.text` is a body that is
 * JSON already, `options.file` the name of its file in the command, and `options.output` the name of the
 * file for the answer.
 */
export async function perform(method, path, body, options = {}) {
  const text = options.text ?? (method === 'GET' ? undefined : JSON.stringify(body ?? {}));
  const request = sendable(method, path, text);
  const command = curlCommand({
    method: request.method,
    url: new URL(request.path, BASE).href,
    body: request.text,
    file: options.file,
    output: options.output,
    withToken: token() !== null,
  });
  let answer;
  try {
    answer = await send(request);
  } catch (error) {
    showCommand({ command, failure: 'There was no answer.' });
    throw error;
  }
  showCommand({ command, status: answer.status, answer: answer.text });
  if (!answer.ok) throw new RefusedError(answer.status, answer.data);
  return answer.data;
}
