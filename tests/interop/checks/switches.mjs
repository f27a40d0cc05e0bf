// Restrictions of an app: sync switches, roles, limits of the plan, and a disabled app. This group
// changes the settings of the whole emulator, so that it needs a separate one.
import { assert, check, comesTo, refused, soon, World } from '../harness.mjs';

export default async function switches(world) {
  const set = async (settings) => {
    const response = await fetch(`http://${world.host}/_emulator/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    assert.equal(response.status, 200, await response.text());
  };
  const [alice, bob] = await world.users('alice', 'bob');
  const [a, b] = await world.conversation('c', [alice, bob]);
  await soon(alice.user('carol').createIfNotExists({ name: 'Carol' }));

  await check('switches: without user sync users cannot be written', async () => {
    await set({ sync: { users: false } });
    await refused(alice.currentUser.set({ name: 'Alicia' }), '403');
    await refused(alice.user('dan').createIfNotExists({ name: 'Dan' }), '403');
    await soon(alice.currentUser.createIfNotExists({ name: 'Alicia' }));
    assert.equal((await soon(alice.currentUser.get())).name, 'Alice');
    await set({ sync: null });
  });

  await check('switches: without conversation sync only notify and messages are mine', async () => {
    await set({ sync: { conversations: false } });
    await refused(a.set({ subject: 'No' }), '403');
    await refused(a.set({ subject: 'No', notify: false }), '403');
    await refused(alice.conversation('new').createIfNotExists(), '403');
    await refused(a.participant('carol').createIfNotExists(), '403');
    await refused(a.participant('bob').edit({ notify: false }), '403');
    await refused(a.participant('bob').delete(), '403');
    await refused(world.session('carol').conversation('c').set({ notify: false }), '403');
    await soon(a.createIfNotExists({ subject: 'No' }));
    await soon(a.participant('bob').createIfNotExists());
    await soon(a.set({ notify: 'MentionsOnly' }));
    const seen = await soon(a.get());
    assert.equal(seen.subject, 'About c');
    assert.equal(seen.notify, 'MentionsOnly');
    const { id } = await soon(a.send('still'));
    await soon(a.message(id).edit('works'));
    await set({ sync: null });
  });

  await check('switches: a role forbids and allows', async () => {
    await soon(alice.user('bob').set({ role: 'guest' }));
    await set({
      roles: {
        guest: {
          fileSharing: false,
          locationSharing: false,
          links: true,
          react: false,
          reply: false,
          editMessages: 'none',
          deleteMessages: 'all',
        },
      },
    });
    const { id } = await soon(a.send('by alice'));
    const mine = await soon(b.send('by bob'));
    await refused(b.send({ content: [{ type: 'location', latitude: 1, longitude: 2 }] }), '403');
    await refused(b.message(mine.id).edit('x'), '403');
    await refused(b.message(id).reactions('👍').add(), '403');
    await refused(b.send({ text: 'x', referencedMessage: id }), '403');
    await refused(bob.uploadFile(new Blob(['x']), { filename: 'x.txt' }), '403');
    const link = { type: 'link', url: 'https://example.com', children: ['x'] };
    await soon(b.send({ content: [{ type: 'text', children: [link] }] }));
    await soon(b.message(id).delete());
    await comesTo((message) => message === null, () => a.message(id).get());
    await set({ roles: null });
  });

  await check('switches: a file is refused before its bytes go up', async () => {
    await set({ limits: { maxFileSize: 10, fileTypes: ['txt'] } });
    await refused(alice.uploadFile(new Blob(['x'.repeat(11)]), { filename: 'x.txt' }), '4');
    await refused(alice.uploadFile(new Blob(['x']), { filename: 'x.exe' }), '4');
    await soon(alice.uploadFile(new Blob(['x'.repeat(10)]), { filename: 'x.txt' }));
    const form = new FormData();
    form.set('file', new Blob(['x'.repeat(500_000)]), 'x.txt');
    const token = (await (await fetch(`http://${world.host}/api/v0/${world.app}/bokens/alice`)).json()).boken;
    const response = await fetch(`http://${world.host}/public_api/v1/${world.app}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    assert.equal(response.status, 400);
    assert.ok((await response.json()).errorCode);
    await set({ limits: null });
  });

  await check('switches: a plan without search and translation', async () => {
    await set({ limits: { search: false, translation: false } });
    const { id } = await soon(a.send('text'));
    await refused(alice.searchMessages().setQuery('text'), '403');
    await refused(a.message(id).translate('fr'), '403');
    await set({ limits: null });
  });

  await check('switches: participants are limited', async () => {
    await set({ limits: { participants: 2 } });
    await refused(a.participant('carol').createIfNotExists(), '4');
    await set({ limits: null });
    await soon(a.participant('carol').createIfNotExists());
  });

  await check('switches: an app that does not exist ends the session', async () => {
    await set({ refusedApps: ['gone'] });
    const session = new World(world.host, 'gone').session('alice');
    const end = new Promise((resolve) => session.onError(resolve));
    session.currentUser.get().catch(() => {});
    assert.ok((await soon(end, 'an end')) instanceof Error);
    await set({ refusedApps: null });
  });
}
