import { assert, check, refused, soon, watch } from '../harness.mjs';

export default async function conversations(world) {
  const [alice, bob, carol] = await world.users('alice', 'bob', 'carol');

  await check('conversation: absent is null', async () => {
    assert.equal(await soon(alice.conversation('none').get()), null);
  });

  await check('conversation: create, with its defaults', async () => {
    await soon(alice.conversation('plain').createIfNotExists());
    const plain = await soon(alice.conversation('plain').get());
    const { createdAt, joinedAt, readUntil, everyoneReadUntil, ...rest } = plain;
    for (const time of [createdAt, joinedAt, readUntil, everyoneReadUntil]) {
      assert.ok(Number.isInteger(time) && Math.abs(Date.now() - time) < 60_000, `${time}`);
    }
    assert.equal(readUntil, joinedAt);
    assert.deepEqual(rest, {
      id: 'plain',
      subject: null,
      photoUrl: null,
      welcomeMessages: [],
      custom: {},
      lastMessage: null,
      lastMessageAt: joinedAt,
      unreadMessageCount: 0,
      isUnread: false,
      access: 'ReadWrite',
      notify: true,
    });
  });

  await check('conversation: create of one that exists changes nothing but my joining', async () => {
    await soon(alice.conversation('c').createIfNotExists({ subject: 'First', custom: { k: 'v' } }));
    await soon(bob.conversation('c').createIfNotExists({ subject: 'Second', notify: false }));
    const seen = await soon(bob.conversation('c').get());
    assert.equal(seen.subject, 'First');
    assert.equal(seen.notify, false);
    assert.equal((await soon(alice.conversation('c').get())).notify, true);
  });

  await check('conversation: set patches and resets', async () => {
    const c = alice.conversation('c');
    await soon(
      c.set({
        subject: 'Third',
        photoUrl: 'https://example.com/c.png',
        welcomeMessages: ['Hi', 'there'],
        custom: { more: '1' },
        notify: 'MentionsOnly',
      }),
    );
    let now = await soon(c.get());
    assert.equal(now.subject, 'Third');
    assert.deepEqual(now.welcomeMessages, ['Hi', 'there']);
    assert.deepEqual(now.custom, { k: 'v', more: '1' });
    assert.equal(now.notify, 'MentionsOnly');
    await soon(c.set({ subject: null, photoUrl: null, welcomeMessages: null, custom: { k: null } }));
    now = await soon(c.get());
    assert.equal(now.subject, null);
    assert.equal(now.photoUrl, null);
    assert.deepEqual(now.welcomeMessages, []);
    assert.deepEqual(now.custom, { more: '1' });
    assert.equal(now.notify, 'MentionsOnly');
  });

  await check('conversation: set creates and joins', async () => {
    await soon(carol.conversation('made').set({ subject: 'Made', access: 'ReadWrite' }));
    assert.equal((await soon(carol.conversation('made').get())).subject, 'Made');
    assert.equal(await soon(alice.conversation('made').get()), null);
  });

  await check('conversation: subscription tells of attributes, joining and leaving', async () => {
    const seen = watch((callback) => carol.conversation('c').subscribe(callback));
    await seen.until('null', (c) => c === null);
    await soon(alice.conversation('c').participant('carol').createIfNotExists({ access: 'Read' }));
    await seen.until('the conversation', (c) => c?.access === 'Read');
    await soon(alice.conversation('c').set({ subject: 'Live', custom: { more: '2' } }));
    const live = await seen.until('the subject', (c) => c?.subject === 'Live');
    assert.deepEqual(live.custom, { more: '2' });
    await soon(alice.conversation('c').participant('carol').edit({ access: 'ReadWrite', notify: false }));
    await seen.until('its access', (c) => c?.access === 'ReadWrite' && c.notify === false);
    await soon(alice.conversation('c').participant('carol').delete());
    await seen.until('null again', (c) => c === null);
    await soon(alice.conversation('c').participant('carol').createIfNotExists());
    await seen.until('the conversation again', (c) => c?.subject === 'Live');
    seen.subscription.unsubscribe();
  });

  await check('conversation: the last message, its edits and its deletion', async () => {
    const [a, b] = await world.conversation('last', [alice, bob]);
    const seen = watch((callback) => b.subscribe(callback));
    await seen.until('the conversation', (c) => c !== null && c.lastMessage === null);
    const first = await soon(a.send('one'));
    await seen.until('one', (c) => c.lastMessage?.plaintext === 'one');
    const second = await soon(a.send('two'));
    await seen.until('two', (c) => c.lastMessage?.plaintext === 'two' && c.unreadMessageCount === 2);
    await soon(a.message(second.id).edit('two and a half'));
    await seen.until('the edit', (c) => c.lastMessage?.plaintext === 'two and a half');
    await soon(a.message(second.id).delete());
    await seen.until('one again', (c) => c.lastMessage?.id === first.id);
    await soon(a.message(first.id).delete());
    const empty = await seen.until('no message', (c) => c.lastMessage === null);
    assert.equal(empty.unreadMessageCount, 0);
    assert.equal((await soon(b.get())).lastMessageAt, empty.joinedAt);
    seen.subscription.unsubscribe();
  });

  await check('conversation: a change of another participant is not mine', async () => {
    const [a, b] = await world.conversation('others', [alice, bob]);
    const mine = watch((callback) => a.subscribe(callback));
    const all = watch((callback) => a.subscribeParticipants(callback));
    await mine.until('the conversation', (c) => c !== null);
    await all.until('both', (list) => list?.length === 2);
    await soon(b.participant('bob').edit({ notify: false, access: 'Read' }));
    await all.until('the change', (list) => list.some((p) => p.notify === false));
    assert.equal(mine.latest.notify, true);
    assert.equal(mine.latest.access, 'ReadWrite');
  });

  await check('conversation: reading', async () => {
    const [a, b, c] = await world.conversation('reading', [alice, bob, carol]);
    const mine = watch((callback) => b.subscribe(callback));
    const senders = watch((callback) => a.subscribe(callback));
    await mine.until('the conversation', (c) => c !== null);
    await soon(a.send('one'));
    await soon(a.send('two'));
    await mine.until('two unread', (c) => c.unreadMessageCount === 2 && c.isUnread);
    assert.equal((await soon(a.get())).unreadMessageCount, 0);
    await soon(b.markAsRead());
    const read = await mine.until('all read', (c) => c.unreadMessageCount === 0 && !c.isUnread);
    const last = (await soon(b.get())).lastMessageAt;
    assert.ok(read.readUntil >= last);
    assert.ok((await soon(a.get())).everyoneReadUntil < last);
    await soon(c.markAsRead());
    await senders.until('read by everyone', (c) => c.everyoneReadUntil >= last);
    await soon(b.markAsUnread());
    const marked = await mine.until('the mark', (c) => c.isUnread);
    assert.equal(marked.unreadMessageCount, 0);
    await soon(b.send('mine'));
    await mine.until('no mark after sending', (c) => !c.isUnread);
  });

  await check('conversation: reading needs participation', async () => {
    await soon(bob.conversation('closed').createIfNotExists());
    await refused(alice.conversation('closed').markAsRead(), 'NOT_A_PARTICIPANT');
    await refused(alice.conversation('closed').markAsUnread(), 'NOT_A_PARTICIPANT');
    await refused(alice.conversation('nowhere').markAsRead(), 'CONVERSATION_NOT_FOUND');
  });
}
