import { assert, check, refused, soon, watch } from '../harness.mjs';

const texts = (list) => list.map((message) => message.plaintext);

export default async function messages(world) {
  const [alice, bob, carol] = await world.users('alice', 'bob', 'carol');
  const [a, b] = await world.conversation('c', [alice, bob]);

  await check('message: send and get', async () => {
    const { id } = await soon(a.send('Hello *Bob*, see https://example.com'));
    const message = await soon(b.message(id).get());
    const { createdAt, ...rest } = message;
    assert.ok(Number.isInteger(createdAt));
    assert.deepEqual(rest, {
      id,
      type: 'UserMessage',
      sender: await soon(bob.user('alice').get()),
      custom: {},
      editedAt: null,
      referencedMessage: null,
      origin: 'rest',
      plaintext: 'Hello Bob, see https://example.com',
      content: [
        {
          type: 'text',
          children: [
            'Hello ',
            { type: 'bold', children: ['Bob'] },
            ', see ',
            { type: 'autoLink', url: 'https://example.com', text: 'https://example.com' },
          ],
        },
      ],
      reactions: [],
    });
  });

  await check('message: every kind of node', async () => {
    const children = [
      { type: 'bold', children: ['b', { type: 'italic', children: ['i'] }] },
      { type: 'strikethrough', children: ['s'] },
      { type: 'codeSpan', text: 'code' },
      { type: 'customEmoji', text: ':party:' },
      { type: 'mention', id: 'bob', text: 'Bob' },
      { type: 'autoLink', url: 'mailto:a@example.com', text: 'a@example.com' },
      { type: 'bulletList', children: [{ type: 'bulletPoint', children: ['x'] }] },
    ];
    const { id } = await soon(a.send({ content: [{ type: 'text', children }] }));
    assert.deepEqual((await soon(b.message(id).get())).content, [{ type: 'text', children }]);
  });

  await check('message: parsed nodes come back in camel case', async () => {
    const { id } = await soon(a.send('- one\n- ```two``` <!!customemoji::party:>'));
    const [block] = (await soon(b.message(id).get())).content;
    const types = [];
    const walk = (node) => {
      if (typeof node === 'string') return;
      types.push(node.type);
      (node.children ?? []).forEach(walk);
    };
    block.children.forEach(walk);
    assert.deepEqual([...new Set(types)].sort(), ['bulletList', 'bulletPoint', 'codeSpan', 'customEmoji']);
  });

  await check('message: custom, location and a reply', async () => {
    const first = await soon(a.send({ text: 'Where?', custom: { urgent: 'yes' } }));
    const second = await soon(
      b.send({
        content: [{ type: 'location', latitude: 52.1, longitude: -4.5 }],
        referencedMessage: first.id,
      }),
    );
    const reply = await soon(a.message(second.id).get());
    assert.deepEqual(reply.content, [{ type: 'location', latitude: 52.1, longitude: -4.5 }]);
    assert.equal(reply.referencedMessage.id, first.id);
    assert.equal(reply.referencedMessage.plaintext, 'Where?');
    assert.deepEqual(reply.referencedMessage.custom, { urgent: 'yes' });
    assert.equal(reply.referencedMessage.sender.name, 'Alice');
  });

  await check('message: absent is null', async () => {
    assert.equal(await soon(a.message('msg_none').get()), null);
    const { id } = await soon(a.send('secret'));
    assert.equal(await soon(carol.conversation('c').message(id).get()), null);
    assert.equal(await soon(alice.conversation('none').message(id).get()), null);
  });

  await check('message: edit', async () => {
    const { id } = await soon(a.send({ text: 'before', custom: { a: '1', b: '2' } }));
    await soon(a.message(id).edit({ custom: { a: null } }));
    let message = await soon(b.message(id).get());
    assert.equal(message.editedAt, null);
    assert.deepEqual(message.custom, { b: '2' });
    await soon(a.message(id).edit('*after*'));
    message = await soon(b.message(id).get());
    assert.ok(message.editedAt >= message.createdAt);
    assert.deepEqual(message.content, [
      { type: 'text', children: [{ type: 'bold', children: ['after'] }] },
    ]);
    await soon(a.message(id).edit({ content: [{ type: 'location', latitude: 1, longitude: 2 }] }));
    assert.equal((await soon(b.message(id).get())).content[0].type, 'location');
  });

  await check('message: delete, twice', async () => {
    const { id } = await soon(a.send('to be deleted'));
    await soon(a.message(id).delete());
    assert.equal(await soon(b.message(id).get()), null);
    await soon(a.message(id).delete());
  });

  await check('message: refusals', async () => {
    const { id } = await soon(a.send('mine'));
    await refused(b.message(id).edit('not yours'), '403');
    await refused(a.message('msg_none').edit('x'), 'MESSAGE_NOT_FOUND');
    await refused(carol.conversation('c').message(id).delete(), 'NOT_A_PARTICIPANT');
    await refused(carol.conversation('c').send('x'), 'NOT_A_PARTICIPANT');
    await refused(carol.conversation('none').send('x'), 'CONVERSATION_NOT_FOUND');
    await refused(a.send({ text: 'x', referencedMessage: 'msg_none' }), 'INVALID');
    await refused(a.send({ content: [{ type: 'file', fileToken: 'no-token' }] }), 'INVALID');
    await refused(a.send({ content: [] }), 'INVALID');
    for (const node of [
      { type: 'link', url: 'https://example.com', children: ['x'] },
      { type: 'actionLink', action: 'go', params: {}, children: ['x'] },
      { type: 'actionButton', action: 'go', params: {}, children: ['x'] },
    ]) {
      await refused(a.send({ content: [{ type: 'text', children: [node] }] }), '403');
    }
    const mismatch = { type: 'autoLink', url: 'https://evil.example', text: 'https://example.com' };
    await refused(a.send({ content: [{ type: 'text', children: [mismatch] }] }), 'INVALID');
  });

  await check('message: link markup in a text stays literal', async () => {
    const text = '<https://example.com|here> <actionbutton:go?x=1|Go>';
    const { id } = await soon(a.send(text));
    assert.equal((await soon(b.message(id).get())).plaintext, text);
  });

  await check('message: read access cannot send', async () => {
    await soon(a.participant('bob').edit({ access: 'Read' }));
    await refused(b.send('x'), '403');
    await soon(a.participant('bob').edit({ access: 'ReadWrite' }));
    await soon(b.send('y'));
  });

  await check('messages: window, growth and order', async () => {
    const [a, b] = await world.conversation('long', [alice, bob]);
    await soon(Promise.all(Array.from({ length: 75 }, (_, i) => a.send(`m${i}`))), '75 sends', 30_000);
    const seen = watch((callback) => b.subscribeMessages(callback));
    await soon(seen.subscription.connected);
    const newest = (count) => Array.from({ length: count }, (_, i) => `m${74 - i}`);
    assert.deepEqual(texts(seen.latest), newest(30));
    assert.equal(seen.loadedAll, false);
    await soon(Promise.all([seen.subscription.loadMore(5), seen.subscription.loadMore(10)]));
    assert.deepEqual(texts(seen.latest), newest(40));
    const other = watch((callback) => b.subscribeMessages(callback));
    await soon(other.subscription.connected);
    assert.equal(other.latest.length, 30);
    await soon(seen.subscription.loadMore(100));
    assert.deepEqual(texts(seen.latest), newest(75));
    assert.equal(seen.loadedAll, true);
    assert.equal(other.latest.length, 30);
    await soon(a.send('newest'));
    await seen.until('the newest', (list) => list[0].plaintext === 'newest');
    assert.equal(seen.latest.length, 76);
  });

  await check('messages: live changes, with a quote that goes', async () => {
    const [a, b] = await world.conversation('live', [alice, bob]);
    const seen = watch((callback) => b.subscribeMessages(callback));
    await seen.until('nothing', (list) => list?.length === 0);
    const quoted = await soon(a.send('quoted'));
    const reply = await soon(b.send({ text: 'reply', referencedMessage: quoted.id }));
    await seen.until('both', (list) => list.length === 2);
    assert.equal(seen.latest[0].referencedMessage.plaintext, 'quoted');
    await soon(a.message(quoted.id).edit({ text: 'quoted, edited', custom: { k: 'v' } }));
    await seen.until('the edit', (list) => list[1].plaintext === 'quoted, edited');
    await seen.until(
      'the edit in the quote',
      (list) => list[0].referencedMessage.plaintext === 'quoted, edited',
    );
    assert.deepEqual(seen.latest[1].custom, { k: 'v' });
    await soon(bob.user('alice').set({ name: 'Alicia' }));
    await seen.until('the new name', (list) => list[1].sender.name === 'Alicia');
    await soon(a.message(quoted.id).delete());
    await seen.until(
      'no quote',
      (list) => list.length === 1 && list[0].referencedMessage === null,
    );
    assert.equal((await soon(a.message(reply.id).get())).referencedMessage, null);
  });

  await check('messages: null before joining and after leaving', async () => {
    const [a] = await world.conversation('doors', [alice]);
    await soon(a.send('before'));
    const seen = watch((callback) => carol.conversation('doors').subscribeMessages(callback));
    await seen.until('null', (list) => list === null);
    await soon(a.participant('carol').createIfNotExists());
    await seen.until('the history', (list) => list?.length === 1);
    await soon(a.send('meanwhile'));
    await seen.until('two', (list) => list?.length === 2);
    await soon(a.participant('carol').delete());
    await seen.until('null again', (list) => list === null);
    await soon(a.send('unseen'));
    await soon(a.participant('carol').createIfNotExists());
    await seen.until('three', (list) => list?.length === 3);
  });

  await check('messages: unsubscribe and subscribe again at once', async () => {
    const [a, b] = await world.conversation('again', [alice, bob]);
    const first = watch((callback) => b.subscribeMessages(callback));
    await soon(first.subscription.connected);
    first.subscription.unsubscribe();
    const second = watch((callback) => b.subscribeMessages(callback));
    await soon(second.subscription.connected);
    await soon(a.send('once'));
    await second.until('the message', (list) => list.length === 1);
    assert.equal(first.latest.length, 0);
  });

  await check('messages: both talk at once, all see the same order', async () => {
    const [a, b] = await world.conversation('crowd', [alice, bob]);
    const seenByA = watch((callback) => a.subscribeMessages(callback));
    const seenByB = watch((callback) => b.subscribeMessages(callback));
    await soon(Promise.all([seenByA.subscription.connected, seenByB.subscription.connected]));
    const sends = Array.from({ length: 10 }, (_, i) => [a.send(`a${i}`), b.send(`b${i}`)]).flat();
    await soon(Promise.all(sends), '20 sends', 30_000);
    await seenByA.until('all', (list) => list.length === 20);
    await seenByB.until('all', (list) => list.length === 20);
    assert.deepEqual(texts(seenByA.latest), texts(seenByB.latest));
    const mine = texts(seenByB.latest).filter((text) => text.startsWith('a'));
    assert.deepEqual(mine, Array.from({ length: 10 }, (_, i) => `a${9 - i}`));
    const times = seenByA.latest.map((message) => message.createdAt);
    assert.ok(times.every((time, i) => i === 0 || time < times[i - 1]));
  });
}
