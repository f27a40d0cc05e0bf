import { createHash, randomBytes } from 'node:crypto';
import { assert, check, refused, soon } from '../harness.mjs';

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

export default async function files(world) {
  const [alice, bob] = await world.users('alice', 'bob');
  const [a, b] = await world.conversation('c', [alice, bob]);

  const kinds = [
    ['file', 'uploadFile', 'notes.txt', 'text/plain', {}],
    ['image', 'uploadImage', 'été "photo".png', 'image/png', { width: 640, height: 480 }],
    ['video', 'uploadVideo', 'film 100%.mp4', 'video/mp4', { width: 64, height: 48, duration: 1.5 }],
    ['audio', 'uploadAudio', 'song.mp3', 'audio/mpeg', { duration: 61 }],
    ['voice', 'uploadVoice', 'voice.webm', 'audio/webm', { duration: 2.25 }],
  ];
  for (const [kind, upload, filename, type, metadata] of kinds) {
    await check(`file: ${kind} goes up and comes down`, async () => {
      const bytes = randomBytes(kind === 'video' ? 3_000_000 : 50_000);
      const token = await soon(alice[upload](new Blob([bytes], { type }), { filename, ...metadata }));
      const { id } = await soon(a.send({ content: [{ type: 'file', fileToken: token }] }));
      const [block] = (await soon(b.message(id).get())).content;
      const { url, fileToken, ...rest } = block;
      assert.equal(typeof fileToken, 'string');
      assert.deepEqual(rest, {
        type: 'file',
        ...(kind === 'file' ? {} : { subtype: kind }),
        size: bytes.length,
        filename,
        ...metadata,
      });
      assert.ok(url.endsWith(encodeURIComponent(filename)), url);
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), type);
      assert.equal(digest(Buffer.from(await response.arrayBuffer())), digest(bytes));
      const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
      assert.equal(part.status, 206);
      assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
      const again = await soon(b.send({ content: [block] }));
      assert.equal((await soon(a.message(again.id).get())).content[0].url, url);
    });
  }

  await check('file: refused before its bytes go up', async () => {
    await refused(alice.uploadFile(new Blob([]), { filename: '' }), 'INVALID');
  });
}
