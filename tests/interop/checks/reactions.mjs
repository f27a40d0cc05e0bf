import { assert, check, refused, soon, watch } from '../harness.mjs';

export default async function reactions(world) {
  const [alice, bob, carol] = await world.users('alice', 'bob', 'carol');
  const [a, b] = await world.conversation('c', [alice, bob]);

  await check('reaction: add, see, remove', async () => {
    const { id } = await soon(a.send('react'));
    await soon(b.message(id).reactions('👍').add());
    await soon(b.message(id).reactions('👍').add());
    await soon(a.message(id).reactions('👍').add());
    await soon(a.message(id).reactions(':party:').add());
    assert.deepEqual((await soon(a.message(id).get())).reactions, [
      { emoji: '👍', count: 2, currentUserReacted: true },
      { emoji: ':party:', count: 1, currentUserReacted: true },
    ]);
    assert.deepEqual((await soon(b.message(id).get())).reactions, [
      { emoji: '👍', count: 2, currentUserReacted: true },
      { emoji: ':party:', count: 1, currentUserReacted: false },
    ]);
    await soon(a.message(id).reactions('👍').remove());
    await soon(a.message(id).reactions('👍').remove());
    assert.equal((await soon(a.message(id).get())).reactions[0].currentUserReacted, false);
    const first = await soon(a.message(id).reactions('👍').getFirstReactions());
    assert.deepEqual(
      first.map((reaction) => reaction.user.name),
      ['Bob'],
    );
    assert.ok(Number.isInteger(first[0].createdAt));
  });

  await check('reaction: the first ten, and null where there is no message', async () => {
    const { id } = await soon(a.send('popular'));
    const ids = Array.from({ length: 35 }, (_, i) => `r${String(i).padStart(2, '0')}`);
    const fans = await world.users(...ids);
    await world.conversation('c', [alice, ...fans]);
    for (const fan of fans) await soon(fan.conversation('c').message(id).reactions('❤️').add());
    const first = await soon(a.message(id).reactions('❤️').getFirstReactions());
    assert.deepEqual(
      first.map((reaction) => reaction.user.id),
      ids.slice(0, 10),
    );
    const seen = watch((callback) => a.message(id).reactions('❤️').subscribe(callback));
    await soon(seen.subscription.connected);
    // The documentation says 10; the published client requests 30 and shows them.
    assert.equal(seen.latest.length, 30);
    assert.equal(seen.loadedAll, false);
    await soon(seen.subscription.loadMore());
    assert.deepEqual(
      seen.latest.map((reaction) => reaction.user.id),
      ids,
    );
    assert.equal(seen.loadedAll, true);
    assert.equal(await soon(a.message('msg_none').reactions('👍').getFirstReactions()), null);
    assert.equal(
      await soon(carol.conversation('c').message(id).reactions('👍').getFirstReactions()),
      null,
    );
    assert.deepEqual(await soon(a.message(id).reactions('🎉').getFirstReactions()), []);
  });

  await check('reaction: subscription, and the summary in the messages', async () => {
    const { id } = await soon(a.send('live'));
    const seen = watch((callback) => a.message(id).reactions('👍').subscribe(callback));
    const list = watch((callback) => a.subscribeMessages(callback));
    await seen.until('none', (all) => all?.length === 0);
    await list.until('the message', (all) => all?.[0]?.id === id);
    await soon(b.message(id).reactions('👍').add());
    await seen.until("bob's", (all) => all.length === 1 && all[0].user.name === 'Bob');
    await list.until('one', (all) => all[0].reactions[0]?.count === 1);
    assert.equal(list.latest[0].reactions[0].currentUserReacted, false);
    await soon(a.message(id).reactions('👍').add());
    await seen.until('both', (all) => all.length === 2);
    await list.until('two', (all) => all[0].reactions[0]?.count === 2);
    assert.equal(list.latest[0].reactions[0].currentUserReacted, true);
    await soon(b.message(id).reactions('👍').remove());
    await seen.until('mine', (all) => all.length === 1 && all[0].user.name === 'Alice');
    await soon(a.message(id).reactions('👍').remove());
    await seen.until('none again', (all) => all.length === 0);
    await list.until('no summary', (all) => all[0].reactions.length === 0);
    await soon(a.message(id).delete());
    await seen.until('null', (all) => all === null);
  });

  await check('reaction: fifty different emoji, not one more', async () => {
    const { id } = await soon(a.send('fifty'));
    const message = a.message(id);
    const fifty = Array.from({ length: 50 }, (_, i) => `:emoji_${i}:`);
    await soon(Promise.all(fifty.map((emoji) => message.reactions(emoji).add())), 'fifty', 30_000);
    await refused(message.reactions(':one_more:').add(), 'INVALID');
    await soon(b.message(id).reactions(':emoji_7:').add());
    assert.equal((await soon(message.get())).reactions.length, 50);
  });

  await check('reaction: refusals', async () => {
    const { id } = await soon(a.send('no'));
    await refused(a.message(id).reactions('word').add(), 'INVALID');
    await refused(a.message(id).reactions('👍👍').add(), 'INVALID');
    await refused(a.message(id).reactions(`:${'x'.repeat(60)}:`).add(), 'INVALID');
    await refused(a.message('msg_none').reactions('👍').add(), 'MESSAGE_NOT_FOUND');
    await refused(carol.conversation('c').message(id).reactions('👍').add(), 'NOT_A_PARTICIPANT');
    await soon(a.message('msg_none').reactions('👍').remove());
  });
}
