// Checks of the pages with faults, clock, snapshots and settings.
import { readFile } from 'node:fs/promises';
import { check, comesTo } from '../../interop/harness.mjs';
import { assert, eventually } from './inspector.mjs';

export async function checkFaults(inspector, { plans }) {
  const { page, api } = inspector;
  const form = page.getByRole('form', { name: 'Inject a fault' });
  const armed = page.getByRole('table', { name: 'Armed faults' });
  const struck = page.getByRole('table', { name: 'Struck faults' });

  await check('faults_armed_fault_strikes_a_client', async () => {
    await inspector.open('faults');
    await inspector.fill(form, {
      Kind: '500',
      User: 'alice',
      'Path begins with': '/conversations/plans',
      Times: '2',
    });
    await inspector.button('Inject', form).click();
    await inspector.command(
      `-d '{"kind":"500","user":"alice","path":"/conversations/plans","times":2}'`,
    );
    await armed.getByText('/conversations/plans').waitFor();
    await plans.send('Sent after two refusals');
    await struck.getByText('/conversations/plans/messages').first().waitFor();
    await page.getByText('No fault is armed.').waitFor();
  });

  await check('faults_every_kind_is_accepted', async () => {
    const kinds = await form.getByLabel('Kind').locator('option').allTextContents();
    const { components } = await api.get('openapi.json');
    const known = components.schemas.Fault.properties.kind.enum;
    assert.deepEqual([...kinds].sort(), [...known].sort());
    for (const kind of kinds) {
      const isWebhook = kind.startsWith('webhook_');
      const isRequest = !isWebhook && kind !== 'batch_shuffle';
      await inspector.fill(form, {
        Kind: kind,
        ...(isRequest && { User: 'nobody', 'After bytes of an upload': '7' }),
        ...((isRequest || isWebhook) && { 'Path begins with': '/none' }),
        'After ms': '5',
      });
      await inspector.button('Inject', form).click();
      const bytes = isRequest ? ',"after_bytes":7' : '';
      await inspector.command(`"kind":"${kind}"`, `"after_ms":5${bytes}`);
    }
    await eventually(async () =>
      assert.equal((await api.get('faults')).armed.length, kinds.length),
    );
  });

  await check('faults_disarm_asks_and_removes_all', async () => {
    await inspector.button('Disarm all').click();
    await inspector.confirm('Disarm all');
    await inspector.command('-X DELETE', '/_emulator/faults');
    await page.getByText('No fault is armed.').waitFor();
    assert.deepEqual((await api.get('faults')).armed, []);
  });

  await check('faults_form_is_filled_from_a_frame', async () => {
    await inspector.open('frames');
    await plans.send('For a fault');
    const search = page.getByRole('search', { name: 'Filter' });
    await inspector.fill(search, { Text: 'for a fault', Direction: 'in' });
    await page.getByRole('listbox').getByRole('option').first().click();
    await page.getByRole('link', { name: 'Inject a fault here' }).click();
    assert.equal(await form.getByLabel('User').inputValue(), 'alice');
    assert.equal(
      await form.getByLabel('Path begins with').inputValue(),
      '/conversations/plans/messages',
    );
    await inspector.open('frames');
    await inspector.fill(search, { Text: '', Direction: 'any' });
  });

  await check('faults_of_http_frames_strike_equal_requests', async () => {
    const file = new FormData();
    file.append('file', new Blob(['Hello']), 'hello.txt');
    const search = page.getByRole('search', { name: 'Filter' });
    for (const [path, method, body, expected] of [
      ['/v1/ui/users/alice?x=1', 'GET', undefined, '/users/alice'],
      ['/public_api/v1/ui/conversations/plans', 'GET', undefined, '/conversations/plans'],
      ['/v1/ui/files', 'POST', file, '/files'],
    ]) {
      const url = new URL(path, inspector.address);
      const send = async () => {
        const headers = { Authorization: 'Bearer any' };
        return (await fetch(url, { method, body, headers })).status;
      };
      await inspector.open('frames');
      assert.equal(await send(), 200, path);
      await inspector.fill(search, { Text: path, Direction: 'in' });
      await page.getByRole('listbox').getByRole('option').last().click();
      await page.getByRole('link', { name: 'Inject a fault here' }).click();
      assert.equal(await form.getByLabel('Path begins with').inputValue(), expected);
      await inspector.button('Inject', form).click();
      await inspector.command(`"path":"${expected}"`);
      assert.equal(await send(), 500, path);
    }
    await inspector.open('frames');
    await inspector.fill(search, { Text: '', Direction: 'any' });
  });
}

export async function checkClock(inspector) {
  const { page, api } = inspector;
  const HOUR = 3_600_000;

  await check('clock_advances_by_preset_and_amount', async () => {
    await inspector.open('clock');
    const before = (await api.get('clock')).now;
    await inspector.button('1 hour').click();
    await inspector.command(`-d '{"advanceMs":3600000}'`);
    const form = page.getByRole('form', { name: 'Advance' });
    await inspector.fill(form, { By: '2', Unit: String(24 * HOUR) });
    await inspector.button('Advance', form).click();
    await inspector.command(`-d '{"advanceMs":172800000}'`);
    const { now } = await api.get('clock');
    assert.ok(now - before >= 49 * HOUR && now - before < 50 * HOUR, String(now - before));
    await page.getByText(/^17\d{4} s ahead of this machine\.$/).waitFor();
  });
}

export async function checkSnapshots(inspector) {
  const { page, api } = inspector;
  const table = page.getByRole('table', { name: 'Snapshots' });
  const name = async () => (await api.get('rest/ui/users/alice')).name;
  const rename = (to) => api.send('PUT', 'rest/ui/users/alice', { name: to });
  let exported;

  await check('snapshots_save_and_restore', async () => {
    await inspector.open('snapshots');
    const form = page.getByRole('form', { name: 'Save a snapshot' });
    await inspector.fill(form, { Name: 'before 1' });
    await inspector.button('Save', form).click();
    await inspector.command('/snapshots/before%201/save');
    await rename('Changed');
    await inspector.button('Restore before 1').click();
    await inspector.confirm('Restore snapshot');
    await inspector.command('/snapshots/before%201/restore');
    assert.equal(await name(), 'Alice');
  });

  await check('snapshots_save_asks_before_it_replaces', async () => {
    const form = page.getByRole('form', { name: 'Save a snapshot' });
    const before = await api.get('snapshots/before%201');
    await api.send('PUT', 'rest/ui/users/late', { name: 'Late' });
    await inspector.fill(form, { Name: 'before 1' });
    await inspector.button('Save', form).click();
    await inspector.confirm('Cancel');
    assert.deepEqual(await api.get('snapshots/before%201'), before);
    await inspector.fill(form, { Name: 'before 1' });
    await inspector.button('Save', form).click();
    await inspector.confirm('Replace snapshot');
    await inspector.command('/snapshots/before%201/save');
    assert.notDeepEqual(await api.get('snapshots/before%201'), before);
  });

  await check('snapshots_export_delete_and_import', async () => {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      inspector.button('Export before 1').click(),
    ]);
    await inspector.command('/snapshots/before%201', `-o 'before 1.json'`);
    assert.equal(file.suggestedFilename(), 'before 1.json');
    exported = await readFile(await file.path());
    await inspector.button('Delete before 1').click();
    await inspector.confirm('Delete snapshot');
    await page.getByText('There are no snapshots.').waitFor();
    const form = page.getByRole('form', { name: 'Import a snapshot' });
    await form
      .getByLabel('File')
      .setInputFiles({ name: 'saved.json', mimeType: 'application/json', buffer: exported });
    await inspector.button('Import', form).click();
    await inspector.command('-X PUT', '/snapshots/saved', '--data-binary @saved.json');
    await table.getByText('saved', { exact: true }).waitFor();
    assert.deepEqual(
      JSON.stringify(await api.get('snapshots/saved')),
      JSON.stringify(JSON.parse(exported)),
    );
  });

  await check('snapshots_names_without_an_address_are_refused', async () => {
    const form = page.getByRole('form', { name: 'Save a snapshot' });
    for (const name of ['.', '..']) {
      await inspector.fill(form, { Name: name });
      await inspector.button('Save', form).click();
      await page.getByRole('alert').getByText(`for the name ${name}.`).waitFor();
    }
    const importing = page.getByRole('form', { name: 'Import a snapshot' });
    await importing
      .getByLabel('File')
      .setInputFiles({ name: '.json', mimeType: 'application/json', buffer: exported });
    await inspector.button('Import', importing).click();
    await page.getByRole('alert').getByText('The file .json has no name').waitFor();
    const empty = { name: 'empty.json', mimeType: 'application/json', buffer: Buffer.from('') };
    await importing.getByLabel('File').setInputFiles(empty);
    await inspector.failing(async () => {
      await inspector.button('Import', importing).click();
      await page.getByRole('alert').getByText('empty.json: ').waitFor();
    });
    assert.deepEqual(
      (await api.get('snapshots')).data.map((it) => it.name),
      ['saved'],
    );
  });

  await check('snapshots_reset_asks_and_restores_the_seed', async () => {
    await inspector.button('Reset all data').click();
    await inspector.confirm('Cancel');
    assert.equal(await name(), 'Alice');
    await inspector.button('Reset all data').click();
    await inspector.confirm('Reset all data');
    await inspector.command('/_emulator/reset');
    const { data } = await api.get('rest/demo/users');
    assert.deepEqual(data.map(({ id }) => id).sort(), ['alice', 'bob', 'carol']);
    await api.post('snapshots/saved/restore');
  });
}

export async function checkSettings(inspector, { bob }) {
  const { page, api } = inspector;
  const form = page.getByRole('form', { name: 'Change settings' });
  const patch = form.getByLabel('JSON merge patch');

  await check('settings_patch_applies_and_resets', async () => {
    await inspector.open('settings');
    await inspector.button('REST rate limits').click();
    assert.deepEqual(JSON.parse(await patch.inputValue()), { limits: { restRate: true } });
    await inspector.button('Apply', form).click();
    await inspector.command(`-d '{"limits":{"restRate":true}}'`);
    await eventually(async () =>
      assert.match(await page.getByLabel('Current settings').textContent(), /"restRate": true/),
    );
    await patch.fill('{"limits": null, "roles": {"default": {"react": false}}}');
    await inspector.button('Apply', form).click();
    await eventually(async () => {
      const { limits, roles } = await api.get('settings');
      assert.deepEqual([limits.restRate, roles.default.react], [false, false]);
    });
    await api.post('settings', { roles: null });
  });

  await check('settings_refused_patch_shows_the_reason', async () => {
    await patch.fill('{"unknown": 1}');
    await inspector.failing(async () => {
      await inspector.button('Apply', form).click();
      await page.getByRole('alert').getByText('unknown').waitFor();
    });
    await comesTo(
      (it) => it !== null,
      () => bob.currentUser.get(),
    );
  });
}
