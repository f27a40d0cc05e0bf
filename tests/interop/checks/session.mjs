import { assert, check, soon } from '../harness.mjs';

export default async function session(world) {
  await check('session: refs', async () => {
    const alice = world.session('alice');
    assert.equal(world.session('alice'), alice);
    assert.equal(alice.currentUser, alice.user('alice'));
    for (const make of [
      () => alice.user(''),
      () => alice.conversation(''),
      () => alice.conversation('c').message(''),
      () => alice.conversation('c').participant(''),
      () => alice.conversation('c').message('m').reactions(''),
    ]) {
      assert.throws(make);
    }
  });

  await check('session: a token is asked for once and used', async () => {
    let asked = 0;
    const carol = world.session('carol');
    carol.onNeedToken = () => {
      asked += 1;
      carol.setToken('any token');
    };
    await soon(carol.currentUser.set({ name: 'Carol' }));
    assert.equal((await soon(carol.currentUser.get())).name, 'Carol');
    assert.equal(asked, 1);
  });

  await check('session: a new token interrupts nothing', async () => {
    const dan = world.session('dan', { token: 'first' });
    await soon(dan.currentUser.set({ name: 'Dan' }));
    const answers = [dan.currentUser.get(), dan.conversation('d').createIfNotExists()];
    dan.setToken('second');
    answers.push(dan.conversation('d').send('x'));
    const [user, , sent] = await soon(Promise.all(answers));
    assert.equal(user.name, 'Dan');
    assert.match(sent.id, /^msg_[0-9A-Za-z]+$/);
  });
}
