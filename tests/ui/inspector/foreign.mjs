// Checks of pages of other origins: they can neither frame, read nor change the emulator's control API,
// and they can upload and download files as a client.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { check } from '../../interop/harness.mjs';
import { openPage } from '../browser.mjs';
import { Api, assert, eventually } from './inspector.mjs';

/** A name that is not a loopback name. The browser resolves it to this machine. */
const NAME = 'evil.example';

/** Requests that change something if they are allowed. */
const CHANGES = [
  ['POST', 'faults', { kind: 'stall', times: 100 }],
  ['POST', 'settings', { secret: 'stolen' }],
  ['POST', 'snapshots/foreign/save', {}],
  ['POST', 'clock', { advanceMs: 3_600_000 }],
  ['PUT', 'rest/ui/users/alice', { name: 'changed' }],
  ['POST', 'act', { app: 'ui', user: 'alice', method: 'PUT', path: '/me', data: { name: 'changed' } }],
  ['POST', 'reset', {}],
];

const READS = ['', 'assets/main.js', 'frames', 'settings', 'snapshots', 'openapi.json', 'events?after=0'];

/** An uploaded page. If its script runs, it changes the title and the control API's data. */
const UPLOADED = `<!doctype html><title>uploaded</title><script>
  document.title = 'its script runs';
  fetch('/_emulator/faults', { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body: '{}' });
</script>`;

export async function checkForeignPages(chromium, host) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>another page</title><link rel="icon" href="data:,">');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const browser = await openPage(chromium, NAME);
  for (const [kind, name] of [
    ['site', NAME],
    ['port', '127.0.0.1'],
  ]) {
    await browser.page.goto(`http://${name}:${port}/`);
    await checkPage(browser.page, kind, host);
  }
  await check('foreign_uploaded_page_runs_no_script', () => checkUploadedPage(browser.page, host));
  await browser.close();
  server.close();
}

async function checkPage(page, kind, host) {
  const control = `http://${host}/_emulator/`;
  const api = new Api(host);

  await check(`foreign_${kind}_cannot_frame_or_open_the_inspector`, async () => {
    for (const tag of ['iframe', 'embed', 'object']) {
      await page.evaluate(
        ([name, url]) => {
          const element = document.createElement(name);
          element[name === 'object' ? 'data' : 'src'] = url;
          document.body.append(element);
        },
        [tag, control],
      );
    }
    const popup = page.waitForEvent('popup');
    await page.evaluate((url) => void open(url), control);
    const opened = await popup;
    await opened.waitForLoadState();
    // A refused frame shows an error page of the browser.
    await eventually(() => {
      const [, ...frames] = page.frames();
      assert.ok(frames.length > 0);
      for (const frame of frames) assert.match(frame.url(), /^chrome-error:/);
    });
    assert.equal(await opened.locator('#tabs').count(), 0);
    assert.match(await opened.content(), /CONTROL_FORBIDDEN/);
    await opened.close();
  });

  await check(`foreign_${kind}_cannot_read_the_control_api`, async () => {
    for (const path of READS) {
      const read = await page.evaluate(readAll, control + path);
      assert.deepEqual(read, [], path);
    }
  });

  await check(`foreign_${kind}_cannot_change_the_control_api`, async () => {
    await api.post('faults', { kind: 'drop', user: 'nobody' });
    const before = await state(api);
    for (const [method, path, body] of CHANGES) {
      const done = await page.evaluate(changeAll, [method, control + path, JSON.stringify(body)]);
      assert.deepEqual(done, [], path);
    }
    assert.deepEqual(await state(api), before);
  });

  await check(`foreign_${kind}_uploads_and_downloads_with_a_token`, async () => {
    const form = { name: 'a b.txt', text: 'uploaded text' };
    const uploaded = await page.evaluate(upload, [host, form, 'Bearer any']);
    assert.equal(uploaded.status, 200, JSON.stringify(uploaded));
    assert.ok(uploaded.progress > 0);
    const { fileToken } = uploaded.body;
    const downloaded = await page.evaluate(
      async (url) => {
        const headers = { Authorization: 'Bearer any', Range: 'bytes=9-12' };
        const response = await fetch(url, { headers });
        return [response.status, response.headers.get('content-range'), await response.text()];
      },
      `http://${host}/public_api/v1/ui/files/${fileToken}/a.txt`,
    );
    assert.deepEqual(downloaded, [206, 'bytes 9-12/13', 'text']);
  });

  await check(`foreign_${kind}_uploads_nothing_without_a_token`, async () => {
    const form = { name: 'a.txt', text: 'text' };
    const refused = await page.evaluate(upload, [host, form, null]);
    assert.equal(refused.status, 401, JSON.stringify(refused));
  });
}

/** The state that a page could change. */
async function state(api) {
  const paths = ['settings', 'faults', 'snapshots', 'rest/ui/users/alice'];
  const [settings, { armed }, snapshots, user] = await Promise.all(paths.map((it) => api.get(it)));
  return { settings, armed, snapshots, user };
}

/** Reads a URL in every way that a page has. Returns the ways that succeeded. Runs in the page. */
async function readAll(url) {
  const loads = (tag) =>
    new Promise((resolve) => {
      const element = document.createElement(tag);
      element.onload = () => resolve(true);
      element.onerror = () => resolve(false);
      if (tag === 'link') element.rel = 'stylesheet';
      element[tag === 'link' ? 'href' : 'src'] = url;
      document.head.append(element);
    });
  const fetched = (options) =>
    fetch(url, options).then(
      () => true,
      () => false,
    );
  const streamed = new Promise((resolve) => {
    const stream = new EventSource(url);
    stream.onopen = () => resolve(true);
    stream.onerror = () => resolve(stream.readyState !== EventSource.CLOSED);
  });
  const ways = {
    fetch: fetched({}),
    opaque: fetched({ mode: 'no-cors' }),
    withCredentials: fetched({ credentials: 'include' }),
    image: loads('img'),
    script: loads('script'),
    style: loads('link'),
    stream: streamed,
  };
  const results = Object.entries(ways).map(async ([name, way]) => [name, await way]);
  return (await Promise.all(results)).filter(([, succeeded]) => succeeded).map(([name]) => name);
}

/** Sends a change in every way that a page has. Returns the ways with a readable answer. Runs in the page. */
async function changeAll([method, url, body]) {
  const types = ['application/json', 'text/plain', 'application/x-www-form-urlencoded'];
  const done = [];
  for (const type of types) {
    for (const mode of ['cors', 'no-cors']) {
      const headers = { 'Content-Type': type };
      const options = { method: mode === 'cors' ? method : 'POST', mode, headers, body };
      const response = await fetch(url, options).catch(() => null);
      if (response !== null && response.type !== 'opaque') done.push(`${mode} ${type}`);
    }
    navigator.sendBeacon(url, new Blob([body], { type }));
  }
  // The body of this form is JSON.
  const target = document.createElement('iframe');
  target.name = 'target';
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', enctype: 'text/plain', action: url, target: 'target' });
  const field = document.createElement('input');
  [field.name, field.value] = [`${body.slice(0, -1)}${body === '{}' ? '' : ','}"x":"`, '"}'];
  form.append(field);
  document.body.append(target, form);
  const loaded = new Promise((resolve) => {
    target.onload = resolve;
  });
  form.submit();
  await loaded;
  target.remove();
  form.remove();
  return done;
}

/** Uploads a file with progress, as the published client does. Runs in the page. */
function upload([host, { name, text }, authorization]) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let progress = 0;
    request.upload.onprogress = ({ loaded }) => {
      progress = loaded;
    };
    request.onload = () =>
      resolve({ status: request.status, progress, body: JSON.parse(request.responseText) });
    request.onerror = () => reject(new Error('the upload failed'));
    request.open('POST', `http://${host}/public_api/v1/ui/files`);
    if (authorization !== null) request.setRequestHeader('Authorization', authorization);
    const form = new FormData();
    form.append('file', new File([text], name, { type: 'text/plain' }));
    request.send(form);
  });
}

async function checkUploadedPage(page, host) {
  const api = new Api(host);
  await api.post('faults', { kind: 'drop', user: 'nobody' });
  const before = await state(api);
  const form = new FormData();
  form.append('file', new File([UPLOADED], 'page.html', { type: 'text/html' }));
  const headers = { Authorization: 'Bearer any' };
  const base = `http://${host}/public_api/v1/ui/files`;
  const uploaded = await fetch(base, { method: 'POST', headers, body: form });
  const { fileToken } = await uploaded.json();
  const response = await page.goto(`${base}/${fileToken}/page.html`);
  assert.equal(response.status(), 200);
  assert.equal(await page.title(), 'uploaded');
  assert.equal(await page.evaluate(() => origin), 'null');
  assert.deepEqual(await state(api), before);
  await api.send('DELETE', 'faults');
}
