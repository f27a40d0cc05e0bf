import { assert, check, refused, soon, wait, watch } from '../harness.mjs';

export default async function users(world) {
  const alice = world.session('alice');

  await check('user: absent is null', async () => {
    assert.equal(await soon(alice.user('nobody').get()), null);
  });

  await check('user: create and get', async () => {
    await soon(
      alice.currentUser.createIfNotExists({
        name: 'Alice',
        email: ['alice@example.com'],
        custom: { colour: 'red', size: 'L' },
        photoUrl: 'https://example.com/alice.png',
        welcomeMessage: 'Hello!',
      }),
    );
    assert.deepEqual(await soon(alice.currentUser.get()), {
      id: 'alice',
      name: 'Alice',
      custom: { colour: 'red', size: 'L' },
      locale: null,
      photoUrl: 'https://example.com/alice.png',
      role: 'default',
      welcomeMessage: 'Hello!',
    });
  });

  await check('user: create of one who exists changes nothing', async () => {
    await soon(alice.currentUser.createIfNotExists({ name: 'Another' }));
    assert.equal((await soon(alice.currentUser.get())).name, 'Alice');
  });

  await check('user: set patches and resets', async () => {
    await soon(
      alice.currentUser.set({ photoUrl: null, locale: 'fr-FR', custom: { size: null, hat: 'yes' } }),
    );
    const user = await soon(alice.currentUser.get());
    assert.equal(user.photoUrl, null);
    assert.equal(user.locale, 'fr-FR');
    assert.equal(user.welcomeMessage, 'Hello!');
    assert.deepEqual(user.custom, { colour: 'red', hat: 'yes' });
    await soon(alice.currentUser.set({ custom: null, locale: null, role: null }));
    const reset = await soon(alice.currentUser.get());
    assert.deepEqual(reset.custom, {});
    assert.equal(reset.locale, null);
    assert.equal(reset.role, 'default');
  });

  await check('user: set of a new user needs a name', async () => {
    await refused(alice.user('nameless').set({ photoUrl: null }), 'INVALID');
    assert.equal(await soon(alice.user('nameless').get()), null);
  });

  await check('user: set creates', async () => {
    await soon(alice.user('sam').set({ name: 'Sam', phone: '+31612345678', role: 'admin' }));
    assert.equal((await soon(alice.user('sam').get())).role, 'admin');
  });

  await check('user: many in one tick', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `u${i}`);
    await soon(Promise.all(ids.map((id) => alice.user(id).set({ name: `Name of ${id}` }))));
    const found = await soon(Promise.all([...ids, 'missing'].map((id) => alice.user(id).get())));
    assert.deepEqual(
      found.map((user) => user?.name ?? null),
      [...ids.map((id) => `Name of ${id}`), null],
    );
  });

  await check('user: ids may hold anything', async () => {
    const id = 'a b/c?d%20é😀';
    await soon(alice.user(id).set({ name: 'Odd' }));
    assert.equal((await soon(alice.user(id).get())).id, id);
    const odd = world.session(id);
    assert.equal((await soon(odd.currentUser.get())).name, 'Odd');
  });

  await check('user: subscription tells of creation and change', async () => {
    const eve = watch((callback) => alice.user('eve').subscribe(callback));
    await eve.until('null', (user) => user === null);
    await soon(world.session('bob').user('eve').set({ name: 'Eve', custom: { a: '1', b: '2' } }));
    await eve.until('her name', (user) => user?.name === 'Eve');
    await soon(alice.user('eve').set({ custom: { a: null }, photoUrl: 'https://example.com/e.png' }));
    const user = await eve.until('her photo', (user) => user?.photoUrl);
    assert.deepEqual(user.custom, { b: '2' });
    eve.subscription.unsubscribe();
    assert.equal((await soon(eve.subscription.terminated)).type, 'unsubscribed');
  });

  await check('user: subscriptions of several users in one tick', async () => {
    const watched = ['u1', 'u2', 'u3'].map((id) =>
      watch((callback) => alice.user(id).subscribe(callback)),
    );
    await Promise.all(watched.map((user) => user.until('a user', (user) => user !== null)));
    await soon(world.session('bob').user('u2').set({ name: 'Second' }));
    await watched[1].until('the new name', (user) => user.name === 'Second');
    assert.equal(watched[0].all.length, 1);
    assert.equal(watched[2].all.length, 1);
  });

  await check('online: null for nobody, then told', async () => {
    const late = watch((callback) => alice.user('late').subscribeOnline(callback));
    await late.until('null', (online) => online === null);
    await soon(alice.user('late').set({ name: 'Late' }));
    await late.until('offline', (online) => online?.isConnected === false);
    const session = world.session('late');
    await soon(session.currentUser.get());
    const online = await late.until('online', (online) => online.isConnected);
    assert.equal(online.user.name, 'Late');
    await soon(alice.user('late').set({ name: 'Later' }));
    await late.until('the new name', (online) => online.user.name === 'Later');
  });

  await check('online: ends by itself some seconds after the last call', async () => {
    await soon(alice.user('brief').set({ name: 'Brief' }));
    const brief = watch((callback) => alice.user('brief').subscribeOnline(callback));
    await brief.until('offline', (online) => online?.isConnected === false);
    // This does not use `get`, because the published client keeps a subscription after it for 30 s.
    const call = () => soon(world.session('brief').currentUser.set({ locale: 'nl-NL' }));
    await call();
    await brief.until('online', (online) => online.isConnected);
    await brief.until('offline again', (online) => !online.isConnected, 15_000);
    await call();
    await brief.until('online again', (online) => online.isConnected);
  });

  await check('online: lasts while something is subscribed', async () => {
    await soon(alice.user('stays').set({ name: 'Stays' }));
    const stays = watch((callback) => alice.user('stays').subscribeOnline(callback));
    // The published client can miss a change that arrives together with the first snapshot.
    await stays.until('offline', (online) => online?.isConnected === false);
    const held = watch((callback) => world.session('stays').currentUser.subscribe(callback));
    await stays.until('online', (online) => online?.isConnected);
    await wait(6_000);
    assert.equal(stays.latest.isConnected, true);
    held.subscription.unsubscribe();
  });
}
