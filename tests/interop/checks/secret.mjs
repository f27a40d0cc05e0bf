// With a secret, the emulator refuses sessions without a token. This group changes the settings of
// the whole emulator, so that it needs a separate one.
import { createHmac } from 'node:crypto';
import { assert, check, refused, soon, watch } from '../harness.mjs';

const SECRET = 'sk_test_secret';

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function jwt(app, user, { secret = SECRET, ...claims } = {}) {
  const payload = { tokenType: 'user', iss: app, sub: user, ...claims };
  const signed = `${base64url({ alg: 'HS256' })}.${base64url(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;

export default async function secret(world) {
  const post = async (path, body) => {
    const response = await fetch(`http://${world.host}/_emulator/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
  };
  const ended = (session) => soon(new Promise((resolve) => session.onError(resolve)), 'an end');

  await post('settings', { secret: SECRET });

  await check('secret: a valid token is taken', async () => {
    const alice = world.session('alice', { token: jwt(world.app, 'alice', { exp: inSeconds(3600) }) });
    await soon(alice.currentUser.set({ name: 'Alice' }));
    assert.equal((await soon(alice.currentUser.get())).name, 'Alice');
    const eternal = world.session('eternal', { token: jwt(world.app, 'eternal') });
    await soon(eternal.currentUser.set({ name: 'Eternal' }));
  });

  await check('secret: nothing, a wrong signature, user or app, and an expired token are not', async () => {
    const tokens = {
      unsigned: jwt(world.app, 'unsigned', { secret: 'another' }),
      someone: jwt(world.app, 'else'),
      elsewhere: jwt('another app', 'elsewhere'),
      expired: jwt(world.app, 'expired', { exp: inSeconds(-10) }),
    };
    for (const [user, token] of Object.entries(tokens)) {
      const session = world.session(user, { token });
      const end = ended(session);
      const call = session.currentUser.get();
      call.catch(() => {});
      assert.ok((await end) instanceof Error);
      await assert.rejects(soon(call));
    }
    const bare = world.session('bare');
    const end = ended(bare);
    bare.currentUser.get().catch(() => {});
    assert.ok((await end) instanceof Error);
    await end;
  });

  await check('secret: a signature of the user id gets a token', async () => {
    for (const shape of ['toLowerCase', 'toUpperCase']) {
      const user = `signed-${shape}`;
      const signature = createHmac('sha256', SECRET).update(user).digest('hex')[shape]();
      const session = world.session(user, { signature });
      await soon(session.currentUser.set({ name: 'Signed' }));
    }
  });

  await check('secret: an expired session asks for a token and misses nothing', async () => {
    let asked = 0;
    const carol = world.session('carol');
    carol.onNeedToken = () => {
      asked += 1;
      carol.setToken(jwt(world.app, 'carol', { exp: inSeconds(3600) }));
    };
    await soon(carol.currentUser.set({ name: 'Carol' }));
    const seen = watch((callback) => carol.user('alice').subscribe(callback));
    await seen.until('alice', (user) => user?.name === 'Alice');
    await post('faults', { kind: 'token_expiry', user: 'carol', times: 1 });
    await soon(carol.currentUser.set({ name: 'Caroline' }));
    assert.equal(asked, 2);
    await soon(world.session('alice').currentUser.set({ name: 'Alicia' }));
    await seen.until('the new name', (user) => user.name === 'Alicia');
  });

  await check('secret: uploads need the token too', async () => {
    const response = await fetch(`http://${world.host}/public_api/v1/${world.app}/files`, {
      method: 'POST',
      body: new FormData(),
    });
    assert.equal(response.status, 401);
    const alice = world.session('alice');
    await soon(alice.uploadFile(new Blob(['x']), { filename: 'x.txt' }));
    await refused(alice.uploadFile(new Blob(['x']), { filename: '' }), 'INVALID');
  });
}
