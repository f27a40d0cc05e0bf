import { assert, check, soon, wait, watch } from '../harness.mjs';

const few = (...ids) => (typing) =>
  typing?.many === false && typing.users.map((user) => user.id).join() === ids.join();

export default async function typing(world) {
  const ids = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'];
  const [watcher, ...typists] = await world.users('watcher', ...ids);
  const [seenBy, ...theirs] = await world.conversation('c', [watcher, ...typists]);

  await check('typing: few, many, and back when one sends', async () => {
    const seen = watch((callback) => seenBy.subscribeTyping(callback));
    await seen.until('nobody', few());
    for (let i = 0; i < 5; i += 1) {
      await soon(theirs[i].markAsTyping());
      await seen.until(`${i + 1} typing`, few(...ids.slice(0, i + 1)));
    }
    assert.equal(seen.latest.users[0].name, 'T1');
    await soon(theirs[5].markAsTyping());
    await seen.until('many', (typing) => typing.many === true);
    await soon(theirs[6].markAsTyping());
    await soon(theirs[6].send('done'));
    assert.equal(seen.latest.many, true);
    await soon(theirs[0].send('done'));
    await seen.until('five', few('t2', 't3', 't4', 't5', 't6'));
    await seen.until('nobody in the end', few(), 20_000);
    const shown = seen.all.map((typing) => (typing.many ? 'many' : typing.users.length));
    assert.deepEqual(shown.slice(0, 8), [0, 1, 2, 3, 4, 5, 'many', 5]);
    seen.subscription.unsubscribe();
  });

  await check('typing: I am not told of myself, and a repeat keeps me', async () => {
    const [a, b] = await world.conversation('pair', [typists[0], typists[1]]);
    const mine = watch((callback) => a.subscribeTyping(callback));
    const others = watch((callback) => b.subscribeTyping(callback));
    await mine.until('nobody', few());
    await others.until('nobody', few());
    await soon(a.markAsTyping());
    await others.until('t1', few('t1'));
    await wait(6_000);
    await soon(a.markAsTyping());
    await wait(6_000);
    assert.ok(few('t1')(others.latest));
    await others.until('nobody again', few(), 10_000);
    assert.ok(mine.all.every(few()));
    assert.equal(others.all.length, 3);
  });

  await check('typing: null for outsiders, and joining shows who types', async () => {
    const [a] = await world.conversation('doors', [typists[2]]);
    const seen = watch((callback) => watcher.conversation('doors').subscribeTyping(callback));
    await seen.until('null', (typing) => typing === null);
    await soon(a.markAsTyping());
    await soon(a.participant('watcher').createIfNotExists());
    await seen.until('t3', few('t3'));
    await soon(a.participant('watcher').delete());
    await seen.until('null again', (typing) => typing === null);
  });

  await check('typing: who leaves types no more', async () => {
    const [a, b] = await world.conversation('leaving', [typists[3], typists[4]]);
    const seen = watch((callback) => a.subscribeTyping(callback));
    await seen.until('nobody', few());
    await soon(b.markAsTyping());
    await seen.until('t5', few('t5'));
    await soon(a.participant('t5').delete());
    await seen.until('nobody again', few(), 5_000);
  });
}
