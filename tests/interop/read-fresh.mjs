// Prints the snapshots of fresh sessions of the published client. A line of input requests a
// session:
//
//     {"id": 1, "host": HOST, "app": APP, "user": USER,
//      "topics": [{"call": "conversation.subscribeMessages", "args": ["c"], "items": 40}]}
//
// `items` is the minimum number of items of a list to load, if there are as many. The line of output
// has the snapshot of each topic:
//
//     {"id": 1, "topics": [{"snapshot": …, "loadedAll": …} or {"error": TEXT}]}.
import { createInterface } from 'node:readline';
import { getTalkSession } from './client.mjs';

const conversation = (session, id) => session.conversation(id);

const subscribe = {
  'user.subscribe': (session, id) => session.user(id).subscribe(),
  'user.subscribeOnline': (session, id) => session.user(id).subscribeOnline(),
  'conversation.subscribe': (session, c) => conversation(session, c).subscribe(),
  'conversation.subscribeMessages': (session, c) => conversation(session, c).subscribeMessages(),
  'conversation.subscribeParticipants': (session, c) =>
    conversation(session, c).subscribeParticipants(),
  'conversation.subscribeTyping': (session, c) => conversation(session, c).subscribeTyping(),
  'participant.subscribe': (session, c, user) =>
    conversation(session, c).participant(user).subscribe(),
  'reactions.subscribe': (session, c, message, emoji) =>
    conversation(session, c).message(message).reactions(emoji).subscribe(),
  'session.subscribeConversations': (session, params) => session.subscribeConversations(params),
};

/** The documented maximum of a call. */
const LARGEST_STEP = {
  'conversation.subscribeMessages': 100,
  'conversation.subscribeParticipants': 50,
  'reactions.subscribe': 100,
  'session.subscribeConversations': 30,
};

async function read(session, { call, args, items }) {
  const subscription = subscribe[call](session, ...args);
  try {
    await subscription.connected;
    const step = LARGEST_STEP[call];
    while (step !== undefined) {
      const { latestSnapshot, loadedAll } = subscription.state;
      const missing = items - (latestSnapshot?.length ?? items);
      if (missing <= 0 || loadedAll) break;
      await subscription.loadMore(Math.min(missing, step));
    }
    const { latestSnapshot: snapshot, loadedAll } = subscription.state;
    return { snapshot, loadedAll };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  } finally {
    subscription.unsubscribe();
  }
}

async function answer({ id, host, app, user, topics }) {
  const session = getTalkSession({ appId: app, userId: user, host });
  // Before it is ready, the published client confuses batches of users.
  await session.currentUser.get();
  const shown = [];
  // Topics are read one after the other, so that no snapshot comes from another's subscription.
  for (const topic of topics) shown.push(await read(session, topic));
  process.stdout.write(`${JSON.stringify({ id, topics: shown })}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  answer(JSON.parse(line));
}
