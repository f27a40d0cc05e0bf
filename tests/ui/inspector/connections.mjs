// Checks of the page with the connections.
import { check, watch } from '../../interop/harness.mjs';
import { assert, eventually } from './inspector.mjs';

export async function checkConnections(inspector, { bob, plans }) {
  const { page, api } = inspector;
  const rows = page.getByRole('table', { name: 'Connections' }).locator('tbody tr');
  const rowOf = (user) => rows.filter({ has: page.getByRole('link', { name: user, exact: true }) });
  const ofBob = async () => {
    const { connections } = await api.get('connections');
    return connections.find(({ user }) => user === 'bob');
  };
  const seen = watch((tell) => bob.conversation('plans').subscribeMessages(tell));
  await seen.until('the messages', () => true);

  await check('connections_show_user_and_subscriptions', async () => {
    await inspector.open('connections');
    await rowOf('bob').getByText('authenticated').waitFor();
    await rowOf('bob').locator('summary').click();
    await rowOf('bob').getByText('/me/conversations/plans/messages').waitFor();
  });

  await check('connections_expire_renews_the_session', async () => {
    const { id } = await ofBob();
    await inspector.button(`Expire the token of connection ${id} of bob`).click();
    await inspector.command('curl -sS http', `/connections/${id}/expire`, `-d '{}'`);
    await plans.send('After the expiry');
    await seen.until('the message', ([latest]) => latest.plaintext === 'After the expiry');
    assert.equal((await ofBob()).id, id);
  });

  await check('connections_close_asks_and_reconnects', async () => {
    const { id } = await ofBob();
    const close = inspector.button(`Close connection ${id} of bob`);
    await close.click();
    await inspector.confirm('Cancel');
    assert.equal((await ofBob()).id, id);
    await close.click();
    await inspector.confirm('Close connection');
    await inspector.command(`/connections/${id}/close`);
    await eventually(async () => {
      const connection = await ofBob();
      assert.ok(connection !== undefined && connection.id !== id, 'not reconnected');
    });
    const next = (await ofBob()).id;
    await inspector.button(`Close connection ${next} of bob`).waitFor();
    assert.equal(await close.count(), 0);
  });

  await check('connections_refresh_shows_its_command', async () => {
    await inspector.button('Refresh').click();
    // The panel may still show the command of the closed connection, whose path is longer.
    const answer = await inspector.runCommand(/\/_emulator\/connections$/);
    assert.ok(answer.connections.some(({ user }) => user === 'bob'));
  });
  seen.subscription.unsubscribe();
}
