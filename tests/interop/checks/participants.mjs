import { assert, check, refused, soon, watch } from '../harness.mjs';

export default async function participants(world) {
  const [alice, bob] = await world.users('alice', 'bob', 'carol');
  const [a, b] = await world.conversation('c', [alice, bob]);

  await check('participant: get', async () => {
    const me = await soon(a.participant('alice').get());
    const { joinedAt, ...rest } = me;
    assert.ok(Number.isInteger(joinedAt));
    assert.deepEqual(rest, {
      user: await soon(alice.currentUser.get()),
      access: 'ReadWrite',
      notify: true,
    });
    assert.equal((await soon(a.participant(alice.user('bob')).get())).user.name, 'Bob');
    assert.equal(await soon(a.participant('carol').get()), null);
  });

  await check('participant: get of another is refused when I am not in', async () => {
    const carol = world.session('carol');
    await refused(carol.conversation('c').participant('bob').get(), 'NOT_A_PARTICIPANT');
    assert.equal(await soon(carol.conversation('c').participant('carol').get()), null);
  });

  await check('participant: set, edit and create', async () => {
    await soon(a.participant('carol').createIfNotExists({ access: 'Read', notify: false }));
    await soon(a.participant('carol').createIfNotExists({ access: 'ReadWrite' }));
    let carol = await soon(a.participant('carol').get());
    assert.equal(carol.access, 'Read');
    assert.equal(carol.notify, false);
    await soon(a.participant('carol').set({ access: 'ReadWrite' }));
    carol = await soon(a.participant('carol').get());
    assert.equal(carol.access, 'ReadWrite');
    assert.equal(carol.notify, false);
    await soon(a.participant('carol').edit({ notify: 'MentionsOnly' }));
    carol = await soon(a.participant('carol').get());
    assert.equal(carol.notify, 'MentionsOnly');
  });

  await check('participant: delete, twice', async () => {
    await soon(a.participant('carol').delete());
    assert.equal(await soon(a.participant('carol').get()), null);
    await soon(a.participant('carol').delete());
  });

  await check('participant: a user must exist, an edit needs a participant', async () => {
    await refused(a.participant('nobody').createIfNotExists(), 'USER_NOT_FOUND');
    await refused(a.participant('carol').edit({ notify: false }), 'PARTICIPANT_NOT_FOUND');
  });

  await check('participant: several in one tick, each with its own answer', async () => {
    await world.users('dan', 'erin');
    const results = await soon(
      Promise.allSettled([
        a.participant('dan').set({ access: 'Read' }),
        a.participant('ghost').createIfNotExists(),
        a.participant('erin').createIfNotExists(),
        a.participant('dan').edit({ notify: false }),
      ]),
    );
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    assert.equal((await soon(a.participant('dan').get())).notify, false);
  });

  await check('participant: subscription of one', async () => {
    await world.users('flo');
    const flo = watch((callback) => b.participant('flo').subscribe(callback));
    await flo.until('null', (p) => p === null);
    await soon(a.participant('flo').set({ access: 'Read' }));
    await flo.until('joined', (p) => p?.access === 'Read');
    await soon(a.participant('flo').edit({ access: 'ReadWrite', notify: false }));
    await flo.until('edited', (p) => p?.access === 'ReadWrite' && p.notify === false);
    await soon(alice.user('flo').set({ name: 'Florence' }));
    await flo.until('the new name', (p) => p?.user.name === 'Florence');
    await soon(a.participant('flo').delete());
    await flo.until('left', (p) => p === null);
    const outsider = watch((callback) =>
      world.session('flo').conversation('c').participant('bob').subscribe(callback),
    );
    await outsider.until('null', (p) => p === null);
  });

  await check('participants: window, order, growth and changes', async () => {
    const ids = Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    await world.users('owner', ...ids);
    const owner = world.session('owner').conversation('many');
    await soon(owner.createIfNotExists());
    for (const id of ids) await soon(owner.participant(id).createIfNotExists());
    const all = watch((callback) => owner.subscribeParticipants(callback));
    await soon(all.subscription.connected);
    assert.equal(all.latest.length, 10);
    assert.equal(all.loadedAll, false);
    assert.deepEqual(
      all.latest.map((p) => p.user.id),
      ids.slice(-10).reverse(),
    );
    await soon(all.subscription.loadMore(5));
    assert.equal(all.latest.length, 15);
    await soon(all.subscription.loadMore(50));
    assert.equal(all.latest.length, 26);
    assert.equal(all.loadedAll, true);
    assert.equal(all.latest.at(-1).user.id, 'owner');
    await world.users('newcomer');
    await soon(owner.participant('newcomer').createIfNotExists());
    await all.until('the newcomer first', (list) => list[0].user.id === 'newcomer');
    await soon(owner.participant('p10').delete());
    await all.until('one fewer', (list) => !list.some((p) => p.user.id === 'p10'));
    await soon(owner.participant('p11').edit({ access: 'Read' }));
    await all.until('the edit', (list) =>
      list.some((p) => p.user.id === 'p11' && p.access === 'Read'),
    );
    const left = watch((callback) =>
      world.session('p12').conversation('many').subscribeParticipants(callback),
    );
    await left.until('a list', (list) => list?.length === 10);
    await soon(owner.participant('p12').delete());
    await left.until('null', (list) => list === null);
  });
}
