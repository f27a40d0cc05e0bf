// Controls a session of the published client over standard input and output, in the format of
// `talk rpc`. Input: {"id": 1, "call": "conversation.send", "args": ["c1", "hi"]}. Output: results,
// snapshots and ends. Calls that arrive in one chunk are made in one tick.
//
//     node driver.mjs --host HOST --app APP --user USER [--token JWT]
import { openAsBlob } from 'node:fs';
import { parseArgs } from 'node:util';
import { getTalkSession } from './client.mjs';

/** The time limit of calls after the end of the input, in ms. */
const DRAIN_TIMEOUT = 30_000;

const { values: options } = parseArgs({
  options: {
    host: { type: 'string' },
    app: { type: 'string' },
    user: { type: 'string' },
    token: { type: 'string' },
  },
});

const session = getTalkSession({
  appId: options.app,
  userId: options.user,
  host: options.host,
  token: options.token,
});

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

class UsageError extends Error {}

/** The published client reports refusals as text: "…, got status 403 CODE, reasons: …". */
const REFUSAL = /status (?:code )?(\d{3}) ([A-Z_0-9]+)/;

function describe(error) {
  const message = String(error?.message ?? error);
  if (error instanceof UsageError) return { kind: 'usage', message };
  const refusal = REFUSAL.exec(message);
  if (refusal === null) return { kind: 'transport', message };
  return { kind: 'server', message, status: Number(refusal[1]), errorCode: refusal[2] };
}

session.onError((error) => {
  say({ session: 'error', error: { ...describe(error), kind: 'session' } });
  process.exitCode = 1;
  setImmediate(() => process.exit());
});

const conversation = (id) => session.conversation(id);
const participant = (c, user) => conversation(c).participant(user);
const message = (c, m) => conversation(c).message(m);
const reactions = (c, m, emoji) => message(c, m).reactions(emoji);

const subscriptions = new Map();
const searches = new Map();
let lastNumber = 0;

/** Prints a line later: a snapshot must not be printed before the result of its subscribe call. */
const sayNext = (line) => queueMicrotask(() => say(line));

/** Subscribes and prints every snapshot. Returns the number of the subscription. */
function subscribe(start) {
  lastNumber += 1;
  const number = lastNumber;
  const subscription = start((snapshot, loadedAll) =>
    sayNext({ subscription: number, snapshot, loadedAll }),
  );
  subscriptions.set(number, subscription);
  subscription.connected?.catch(() => {});
  subscription.terminated.then((state) => {
    subscriptions.delete(number);
    if (state.type === 'error') {
      sayNext({ subscription: number, ended: 'error', error: describe(state.error) });
    } else {
      sayNext({ subscription: number, ended: 'unsubscribed' });
    }
  });
  return { subscription: number };
}

function search(start, query, filters) {
  lastNumber += 1;
  const number = lastNumber;
  const started = start((results, status) =>
    sayNext({ search: number, results, status }),
  );
  searches.set(number, started);
  started
    .setQuery(query, filters)
    .catch((error) => say({ search: number, error: describe(error) }));
  return { search: number };
}

function one(of, number) {
  const found = of.get(number);
  if (found === undefined) throw new UsageError(`There is no number ${number}.`);
  return found;
}

/** In addition to the metadata of `talk rpc`, `type` sets the media type of the file. */
const upload = (kind) => async (path, { type = '', ...metadata }) =>
  session[kind](await openAsBlob(path, { type }), metadata);

const calls = {
  'user.get': (id) => session.user(id).get(),
  'user.set': (id, params) => session.user(id).set(params),
  'user.createIfNotExists': (id, params) => session.user(id).createIfNotExists(params),
  'user.subscribe': (id) => subscribe((tell) => session.user(id).subscribe(tell)),
  'user.subscribeOnline': (id) => subscribe((tell) => session.user(id).subscribeOnline(tell)),

  'conversation.get': (id) => conversation(id).get(),
  'conversation.set': (id, params) => conversation(id).set(params),
  'conversation.createIfNotExists': (id, params) => conversation(id).createIfNotExists(params),
  'conversation.markAsRead': (id) => conversation(id).markAsRead(),
  'conversation.markAsUnread': (id) => conversation(id).markAsUnread(),
  'conversation.markAsTyping': (id) => conversation(id).markAsTyping(),
  'conversation.send': async (id, params) => ({
    messageRef: (await conversation(id).send(params)).id,
  }),
  'conversation.subscribe': (id) => subscribe((tell) => conversation(id).subscribe(tell)),
  'conversation.subscribeMessages': (id) =>
    subscribe((tell) => conversation(id).subscribeMessages(tell)),
  'conversation.subscribeParticipants': (id) =>
    subscribe((tell) => conversation(id).subscribeParticipants(tell)),
  'conversation.subscribeTyping': (id) =>
    subscribe((tell) => conversation(id).subscribeTyping(tell)),

  'participant.get': (c, user) => participant(c, user).get(),
  'participant.set': (c, user, params) => participant(c, user).set(params),
  'participant.edit': (c, user, params) => participant(c, user).edit(params),
  'participant.createIfNotExists': (c, user, params) =>
    participant(c, user).createIfNotExists(params),
  'participant.delete': (c, user) => participant(c, user).delete(),
  'participant.subscribe': (c, user) =>
    subscribe((tell) => participant(c, user).subscribe(tell)),

  'message.get': (c, m) => message(c, m).get(),
  'message.edit': (c, m, params) => message(c, m).edit(params),
  'message.delete': (c, m) => message(c, m).delete(),
  'message.translate': (c, m, language) => message(c, m).translate(language),

  'reactions.add': (c, m, emoji) => reactions(c, m, emoji).add(),
  'reactions.remove': (c, m, emoji) => reactions(c, m, emoji).remove(),
  'reactions.getFirstReactions': (c, m, emoji) => reactions(c, m, emoji).getFirstReactions(),
  'reactions.subscribe': (c, m, emoji) =>
    subscribe((tell) => reactions(c, m, emoji).subscribe(tell)),

  'session.subscribeConversations': (params) =>
    subscribe((tell) =>
      params === undefined
        ? session.subscribeConversations(tell)
        : session.subscribeConversations(params, tell),
    ),
  'session.searchMessages': (query, filters) =>
    search((tell) => session.searchMessages(tell), query, filters),
  'session.searchConversations': (query, filters) =>
    search((tell) => session.searchConversations(tell), query, filters),
  'session.uploadFile': upload('uploadFile'),
  'session.uploadImage': upload('uploadImage'),
  'session.uploadVideo': upload('uploadVideo'),
  'session.uploadAudio': upload('uploadAudio'),
  'session.uploadVoice': upload('uploadVoice'),
  'session.setToken': (token) => session.setToken(token),

  'search.loadMore': async (number, count) => {
    await one(searches, number).loadMore(count);
  },
  'search.setQuery': async (number, query, filters) => {
    await one(searches, number).setQuery(query, filters);
  },
  'subscription.loadMore': (number, count) => one(subscriptions, number).loadMore(count),
  'subscription.unsubscribe': (number) => one(subscriptions, number).unsubscribe(),
};

const inFlight = new Set();

function handle(line) {
  let request;
  try {
    request = JSON.parse(line);
  } catch {
    say({ id: null, error: { kind: 'usage', message: 'A line must be a JSON object.' } });
    return;
  }
  const { id = null, call, args = [] } = request ?? {};
  const fail = (error) => say({ id, error: describe(error) });
  try {
    if (!Object.hasOwn(calls, call)) throw new UsageError(`There is no call ${call}.`);
    const result = calls[call](...args);
    if (!(result instanceof Promise)) {
      say({ id, result: result ?? null });
      return;
    }
    const answered = result.then((value) => say({ id, result: value ?? null }), fail);
    inFlight.add(answered);
    answered.finally(() => inFlight.delete(answered));
  } catch (error) {
    // The published client throws synchronously only for wrong arguments.
    fail(error instanceof UsageError ? error : new UsageError(String(error?.message ?? error)));
  }
}

let unfinished = '';
process.stdin.setEncoding('utf8');
for await (const piece of process.stdin) {
  const lines = (unfinished + piece).split('\n');
  unfinished = lines.pop();
  for (const line of lines) {
    if (line.trim() !== '') handle(line);
  }
}
if (unfinished.trim() !== '') handle(unfinished);

const late = setTimeout(() => process.exit(1), DRAIN_TIMEOUT);
await Promise.all(inFlight);
clearTimeout(late);
process.exit();
