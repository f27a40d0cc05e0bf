// Checks of the page with the webhooks.
import http from 'node:http';
import { once } from 'node:events';
import { check } from '../../interop/harness.mjs';
import { assert, eventually } from './inspector.mjs';

/** Starts a receiver that answers with the given statuses, and then with 200. */
async function receiver(statuses) {
  const bodies = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    bodies.push(JSON.parse(body));
    response.writeHead(statuses.shift() ?? 200).end('thanks');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/hooks`;
  return { bodies, url, stop: () => server.close() };
}

export async function checkWebhooks(inspector, { plans }) {
  const { page, api } = inspector;
  const hooks = await receiver([500, 500]);
  await api.post('settings', {
    webhooks: { url: hooks.url, events: ['message.sent'], secret: 'key' },
  });
  const table = page.getByRole('table', { name: 'Deliveries' });
  const detail = page.getByRole('region', { name: 'Selected webhook' });

  await check('webhooks_settings_are_summarised', async () => {
    await inspector.open('webhooks');
    await page.getByText(hooks.url).waitFor();
    await page.locator('.facts').getByText('message.sent', { exact: true }).waitFor();
  });

  await check('webhooks_delivery_shows_attempts_and_body', async () => {
    await plans.send('For the receiver');
    const { id } = await eventually(async () => {
      const [webhook] = (await api.get('webhooks?state=failed')).data;
      assert.equal(webhook.attempts.length, 2);
      return webhook;
    });
    await table.getByText('failed').first().waitFor();
    await page.getByRole('link', { name: `Show message.sent ${id}` }).click();
    const attempts = detail.getByRole('table', { name: 'Attempts' }).locator('tbody tr');
    await eventually(async () => assert.equal(await attempts.count(), 2));
    assert.match(await attempts.first().textContent(), /500thanks$/);
    const body = JSON.parse(await detail.locator('pre').textContent());
    assert.deepEqual([body.id, body.data.message.text], [id, 'For the receiver']);
  });

  await check('webhooks_resend_delivers_again', async () => {
    await inspector.button('Resend', detail).click();
    await inspector.command('/resend');
    await detail.getByText('delivered').waitFor();
    await eventually(async () => assert.equal(hooks.bodies.length, 3));
    assert.equal(hooks.bodies[2].id, hooks.bodies[0].id);
  });

  await check('webhooks_filter_by_state', async () => {
    const filter = page.getByRole('form', { name: 'Filter' });
    await inspector.fill(filter, { State: 'failed' });
    await page.getByText('There are no webhooks.').waitFor();
    await inspector.fill(filter, { State: 'delivered' });
    await table.getByText('message.sent').first().waitFor();
  });

  await check('webhooks_fault_is_shown_in_both_logs', async () => {
    await api.post('faults', { kind: 'webhook_drop', path: 'message.sent' });
    await plans.send('Lost on the way');
    await inspector.open('faults');
    const struck = page.getByRole('table', { name: 'Struck faults' });
    const row = struck.locator('tbody tr').filter({ hasText: 'webhook_drop' });
    await row.getByRole('link', { name: 'message.sent' }).click();
    await detail.getByText('Injected faults: webhook_drop').waitFor();
    await detail.getByText('failed').waitFor();
    assert.equal(hooks.bodies.length, 3);
  });

  await check('webhooks_list_grows_by_pages', async () => {
    const message = { type: 'SystemMessage', text: 'One of many' };
    const messages = Array.from({ length: 10 }, () => message);
    for (let i = 0; i < 11; i += 1) {
      await api.post('rest/ui/conversations/plans/messages', messages);
    }
    await inspector.open('webhooks');
    const rows = table.locator('tbody tr');
    await eventually(async () => assert.equal(await rows.count(), 100));
    await inspector.button('Show more').click();
    const { data } = await api.get('webhooks?limit=1000');
    await eventually(async () => assert.equal(await rows.count(), data.length));
    await inspector.button('Show more').waitFor({ state: 'detached' });
  });
  await api.post('settings', { webhooks: null });
  hooks.stop();
}
