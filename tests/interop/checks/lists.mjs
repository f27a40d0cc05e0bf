import { assert, check, soon, watch } from '../harness.mjs';

const ids = (list) => list.map((conversation) => conversation.id);

export default async function lists(world) {
  const [alice, bob] = await world.users('alice', 'bob');

  await check('list: empty for a user who does not exist', async () => {
    const nobody = world.session('nobody');
    const list = watch((callback) => nobody.subscribeConversations(callback));
    await list.until('an empty list', (list) => list.length === 0);
    await soon(nobody.currentUser.set({ name: 'Nobody' }));
    await soon(nobody.conversation('own').createIfNotExists());
    await list.until('my conversation', (list) => list.length === 1);
  });

  const count = 45;
  const all = Array.from({ length: count }, (_, i) => `c${String(i).padStart(2, '0')}`);
  for (const id of all) {
    await soon(
      alice.conversation(id).createIfNotExists({
        subject: id === 'c00' ? undefined : `Subject ${id}`,
        custom: Number(id.slice(1)) % 2 ? { parity: 'odd' } : {},
      }),
    );
  }

  await check('list: window, order and growth', async () => {
    const list = watch((callback) => alice.subscribeConversations(callback));
    await soon(list.subscription.connected);
    const newest = [...all].reverse();
    assert.deepEqual(ids(list.latest), newest.slice(0, 20));
    assert.equal(list.loadedAll, false);
    await soon(list.subscription.loadMore(5));
    assert.deepEqual(ids(list.latest), newest.slice(0, 25));
    await soon(list.subscription.loadMore(30));
    assert.deepEqual(ids(list.latest), newest);
    assert.equal(list.loadedAll, true);
    await soon(alice.conversation('c05').send('up'));
    const moved = await list.until('c05 first', (list) => list[0].id === 'c05');
    assert.equal(moved[0].lastMessage.plaintext, 'up');
    await soon(alice.conversation('c06').set({ subject: 'Renamed' }));
    await list.until('the new subject', (list) =>
      list.some((conversation) => conversation.subject === 'Renamed'),
    );
    await soon(bob.conversation('from-bob').createIfNotExists({ subject: 'Bob asks' }));
    await soon(bob.conversation('from-bob').participant('alice').createIfNotExists());
    // The published client loses a change of a new conversation that arrives before it has requested
    // the last message.
    await list.until("bob's", (list) => list[0].id === 'from-bob');
    await soon(bob.conversation('from-bob').send('Hi'));
    const joined = await list.until(
      "bob's, unread",
      (list) => list[0].id === 'from-bob' && list[0].unreadMessageCount === 1,
    );
    assert.equal(joined[0].lastMessage.sender.name, 'Bob');
    await soon(bob.conversation('from-bob').participant('alice').delete());
    await list.until('it gone', (list) => !ids(list).includes('from-bob'));
    list.subscription.unsubscribe();
  });

  const matching = async (filter) => {
    const list = watch((callback) => alice.subscribeConversations({ filter }, callback));
    await soon(list.subscription.connected);
    while (!list.loadedAll) await soon(list.subscription.loadMore(30));
    list.subscription.unsubscribe();
    return ids(list.latest).sort();
  };
  const where = (holds) => all.filter((id) => holds(Number(id.slice(1))));

  await check('filter: every kind', async () => {
    assert.deepEqual(await matching({ custom: { parity: 'exists' } }), where((n) => n % 2 === 1));
    assert.deepEqual(await matching({ custom: { parity: '!exists' } }), where((n) => n % 2 === 0));
    assert.deepEqual(await matching({ custom: { parity: ['==', 'odd'] } }), where((n) => n % 2 === 1));
    assert.deepEqual(await matching({ custom: { parity: ['!=', 'odd'] } }), where((n) => n % 2 === 0));
    assert.deepEqual(await matching({ subject: ['==', null] }), ['c00']);
    assert.deepEqual(await matching({ subject: ['oneOf', ['Subject c01', null]] }), ['c00', 'c01']);
    assert.equal((await matching({ subject: ['!=', null] })).length, count - 1);
    assert.deepEqual(await matching({ hasMessages: true }), ['c05']);
    assert.equal((await matching({ hasMessages: false })).length, count - 1);
    assert.equal((await matching({ access: ['==', 'Read'] })).length, 0);
    assert.equal((await matching({ isUnread: false })).length, count);
    const { createdAt } = await soon(alice.conversation('c10').get());
    const older = await matching({ createdAt: ['<', createdAt] });
    assert.ok(older.length <= 10 && older.every((id) => id < 'c10'), older.join());
    assert.deepEqual(
      await matching(['any', [{ hasMessages: true }, { subject: ['==', null] }]]),
      ['c00', 'c05'],
    );
  });

  await check('filter: a conversation enters and leaves', async () => {
    const list = watch((callback) =>
      alice.subscribeConversations({ filter: { custom: { state: ['==', 'open'] } } }, callback),
    );
    await list.until('none', (list) => list.length === 0);
    await soon(alice.conversation('c20').set({ custom: { state: 'open' } }));
    await list.until('c20', (list) => ids(list).join() === 'c20');
    await soon(alice.conversation('c20').set({ custom: { state: 'closed' } }));
    await list.until('none again', (list) => list.length === 0);
  });

  await check('filter: unread', async () => {
    const list = watch((callback) =>
      alice.subscribeConversations({ filter: { isUnread: true } }, callback),
    );
    await list.until('none', (list) => list.length === 0);
    await soon(alice.conversation('c30').participant('bob').createIfNotExists());
    await soon(bob.conversation('c30').send('News'));
    await list.until('c30', (list) => ids(list).join() === 'c30');
    await soon(alice.conversation('c30').markAsRead());
    await list.until('none again', (list) => list.length === 0);
  });
}
