// Checks of the page with the data.
import { check, comesTo, watch } from '../../interop/harness.mjs';
import { assert, eventually, wait } from './inspector.mjs';

const HOSTILE = `it's <img src=x onerror=alert(1)> "$HOME" \`id\` \\ 100% ✓`;

export async function checkData(inspector, { alice, bob }) {
  const { page, api } = inspector;
  const { dialog } = inspector;
  const rest = (path) => api.get(`rest/ui/${path}`);
  const table = (name) => page.getByRole('table', { name });

  await check('data_user_is_created_with_any_text', async () => {
    await inspector.open('data/ui/users');
    await inspector.button('New user').click();
    await inspector.fill(dialog, {
      ID: `d'ana`,
      Name: HOSTILE,
      'Custom data (JSON)': '{"plan": "free"}',
    });
    await inspector.confirm('Create');
    await table('Users').getByText(HOSTILE, { exact: true }).waitFor();
    const user = await rest(`users/d'ana`);
    assert.equal(user.name, HOSTILE);
    assert.deepEqual(user.custom, { plan: 'free' });
  });

  await check('data_creation_changes_nothing_that_exists', async () => {
    const refused = async (button, values, message) => {
      await inspector.button(button).click();
      await inspector.fill(dialog, values);
      await dialog.locator('button.primary').click();
      await dialog.getByRole('alert').getByText(message).waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    };
    const [user, plans] = [await rest('users/alice'), await rest('conversations/plans')];
    await inspector.open('data/ui/users');
    await refused('New user', { ID: 'alice', Name: 'Lost' }, 'a user with the ID alice already');
    await inspector.open('data/ui/conversations');
    const conversation = { ID: 'plans', Subject: 'Lost' };
    await refused('New conversation', conversation, 'a conversation with the ID plans already');
    await inspector.open('data/ui/conversations/plans');
    const participant = { 'User ID': 'bob', Access: 'Read' };
    await refused('Add participant', participant, 'bob is a participant already');
    assert.deepEqual(await rest('users/alice'), user);
    assert.deepEqual(await rest('conversations/plans'), plans);
    await inspector.open('data/ui/users');
    await inspector.button(`Edit user d'ana`).waitFor();
  });

  await check('data_command_repeats_the_action_in_a_shell', async () => {
    await api.send('PUT', `rest/ui/users/d'ana`, { name: 'Changed' });
    await inspector.runCommand('-X PUT');
    assert.equal((await rest(`users/d'ana`)).name, HOSTILE);
  });

  await check('data_user_edit_sends_only_changes', async () => {
    await inspector.button(`Edit user d'ana`).click();
    await inspector.fill(dialog, { Name: 'Dana', 'Custom data (JSON)': '{"seat": "1"}' });
    await inspector.confirm('Save');
    await inspector.command(`-d '{"name":"Dana","custom":{"plan":null,"seat":"1"}}'`);
    const user = await rest(`users/d'ana`);
    assert.deepEqual([user.name, user.custom], ['Dana', { seat: '1' }]);
  });

  await check('data_dialog_closes_while_data_changes', async () => {
    let isOver = false;
    const changes = async () => {
      for (let i = 0; !isOver; i += 1) await api.send('PUT', 'rest/ui/users/busy', { name: `${i}` });
    };
    // Each load is so slow that the data changes again before it ends.
    const reads = /\/rest\/ui\/users\?/;
    await page.route(reads, async (route) => {
      await wait(300);
      await route.continue();
    });
    const changing = changes();
    try {
      await inspector.button(`Edit user d'ana`).click();
      await inspector.fill(dialog, { Role: 'guide' });
      await inspector.confirm('Save');
    } finally {
      isOver = true;
      await changing;
      await page.unrouteAll({ behavior: 'wait' });
    }
    assert.equal((await rest(`users/d'ana`)).role, 'guide');
  });

  await check('data_refused_action_shows_the_reason', async () => {
    await inspector.button(`Edit user d'ana`).click();
    await inspector.fill(dialog, { 'Custom data (JSON)': '{"seat": 1}' });
    await inspector.failing(async () => {
      await inspector.button('Save', dialog).click();
      await dialog.getByRole('alert').getByText('custom').waitFor();
    });
    for (const value of ['"abc"', '5', '[true]', 'null']) {
      await inspector.fill(dialog, { 'Custom data (JSON)': value, Name: value });
      await inspector.button('Save', dialog).click();
      const reason = 'Custom data (JSON) must be a JSON object';
      await dialog.getByRole('alert').getByText(reason).waitFor();
      await inspector.fill(dialog, { 'Custom data (JSON)': '' });
    }
    assert.deepEqual((await rest(`users/d'ana`)).custom, { seat: '1' });
    await inspector.fill(dialog, { 'Custom data (JSON)': '{"seat"' });
    await inspector.button('Save', dialog).click();
    await dialog.getByRole('alert').getByText('Custom data (JSON) is not valid JSON').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  await check('data_conversation_is_created_for_participants', async () => {
    const list = watch((tell) => alice.subscribeConversations(tell));
    await inspector.open('data/ui/conversations');
    await inspector.button('New conversation').click();
    await inspector.fill(dialog, { ID: 'trip', Participants: 'alice, bob', Subject: 'The trip' });
    await inspector.confirm('Create');
    await inspector.command('/rest/ui/conversations/trip');
    await list.until('the conversation', (all) => all.some(({ id }) => id === 'trip'));
    list.subscription.unsubscribe();
  });

  const trip = alice.conversation('trip');
  const seen = watch((tell) => trip.subscribeMessages(tell));

  await check('data_messages_are_sent_edited_and_deleted', async () => {
    await page.getByRole('link', { name: 'trip', exact: true }).click();
    const send = async (values, plaintext) => {
      await inspector.button('New message').click();
      await inspector.fill(dialog, values);
      await inspector.confirm('Send');
      const holds = ([latest]) => latest?.plaintext === plaintext;
      return (await seen.until(plaintext, holds))[0];
    };
    const system = await send(
      { Sender: '', 'Text with markup': 'The *bus* leaves' },
      'The bus leaves',
    );
    assert.equal(system.sender, null);
    const message = await send(
      { Sender: 'bob', 'Text with markup': HOSTILE.slice(0, 40) },
      HOSTILE.slice(0, 40),
    );
    assert.equal(message.sender.id, 'bob');
    await inspector.button(`Edit message ${message.id}`).click();
    await inspector.fill(dialog, { 'Text with markup': 'Now _edited_' });
    await inspector.confirm('Save');
    await seen.until('the edit', ([latest]) => latest.plaintext === 'Now edited');
    await table('Messages').locator('em', { hasText: 'edited' }).waitFor();
    await inspector.button(`Delete message ${message.id}`).click();
    await inspector.confirm('Delete message');
    await seen.until('the deletion', ([latest]) => latest.plaintext === 'The bus leaves');
  });

  await check('data_messages_appear_live', async () => {
    await trip.send('Sent by a client');
    await table('Messages').getByText('Sent by a client', { exact: true }).waitFor();
  });

  await check('data_participants_are_added_edited_and_removed', async () => {
    await inspector.button('Add participant').click();
    await inspector.fill(dialog, { 'User ID': `d'ana`, Access: 'Read' });
    await inspector.confirm('Add');
    const participants = async () => (await rest('conversations/trip')).participants;
    assert.equal((await participants())[`d'ana`].access, 'Read');
    await inspector.button(`Edit participant d'ana`).click();
    await inspector.fill(dialog, { Access: 'ReadWrite', Notify: 'MentionsOnly' });
    await inspector.confirm('Save');
    const dana = (await participants())[`d'ana`];
    assert.deepEqual([dana.access, dana.notify], ['ReadWrite', 'MentionsOnly']);
    await inspector.button(`Remove participant d'ana`).click();
    await inspector.confirm('Remove participant');
    await eventually(async () =>
      assert.deepEqual(Object.keys(await participants()).sort(), ['alice', 'bob']),
    );
  });

  await check('data_ids_of_dots_change_nothing_else', async () => {
    const trap = (payload, ...rest) => api.post('rest/ui/batch', [[1, ...rest, payload]]);
    for (const id of ['.', '..']) {
      await trap({ name: 'Dots' }, 'PUT', `/users/${id}`);
      await trap({ subject: `Called ${id}` }, 'PUT', `/conversations/${id}`);
      await trap({}, 'PUT', `/conversations/trip/participants/${id}`);
    }
    await inspector.button('Edit participant ..').click();
    await inspector.fill(dialog, { Access: 'Read' });
    await inspector.confirm('Save');
    const participants = async () => (await rest('conversations/trip')).participants;
    assert.equal((await participants())['..'].access, 'Read');
    for (const id of ['.', '..']) {
      await inspector.button(`Remove participant ${id}`).click();
      await inspector.confirm('Remove participant');
      await inspector.command('/rest/ui/batch', `/conversations/trip/participants/${id}`);
    }
    assert.deepEqual(Object.keys(await participants()).sort(), ['alice', 'bob']);
    await inspector.open('data/ui/conversations');
    await page.getByRole('link', { name: '..', exact: true }).click();
    await page.getByRole('heading', { name: 'Called ..' }).waitFor();
    await inspector.button('Delete conversation').click();
    await inspector.confirm('Delete conversation');
    await table('Conversations').getByText('Called .', { exact: true }).waitFor();
    await inspector.open('data/ui/conversations/trip');
  });

  await check('data_conversation_is_edited_and_deleted', async () => {
    await inspector.button('Edit conversation').click();
    await inspector.fill(dialog, { Subject: 'The long trip' });
    await inspector.confirm('Save');
    await comesTo(
      (it) => it.subject === 'The long trip',
      () => trip.get(),
    );
    await inspector.button('Delete conversation').click();
    // The page may read the conversation once more before it leaves it.
    await inspector.failing(async () => {
      await inspector.confirm('Delete conversation');
      await page.getByRole('table', { name: 'Conversations' }).waitFor();
    });
    await comesTo(
      (it) => it === null,
      () => bob.conversation('trip').get(),
    );
  });

  await check('data_focus_stays_near_a_removed_row', async () => {
    await api.send('PUT', 'rest/ui/conversations/rows', { subject: 'Rows', participants: ['bob'] });
    await inspector.open('data/ui/conversations');
    const focused = () =>
      page.evaluate(() => document.activeElement.dataset.key ?? document.activeElement.id);
    await page.getByRole('link', { name: 'rows', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Rows' }).waitFor();
    assert.equal(await focused(), 'page');
    await inspector.button('Edit participant bob').focus();
    await page.keyboard.press('Enter');
    await inspector.fill(dialog, { Access: 'Read' });
    await inspector.confirm('Save');
    await eventually(async () => assert.equal(await focused(), 'Edit participant bob'));
    await inspector.button('Remove participant bob').focus();
    await page.keyboard.press('Enter');
    await inspector.confirm('Remove participant');
    await eventually(async () => assert.equal(await focused(), 'page'));
    await api.send('DELETE', 'rest/ui/conversations/rows');
  });

  await check('data_seed_adds_an_app', async () => {
    await inspector.open('data/ui/seed');
    const seed = {
      app: 'seeded',
      users: { eve: { name: 'Eve' } },
      conversations: [
        { id: 'notes', participants: ['eve'], messages: [{ sender: 'eve', text: 'Note' }] },
      ],
    };
    const buffer = Buffer.from(JSON.stringify(seed));
    await page
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'seed.json', mimeType: 'application/json', buffer });
    await eventually(async () =>
      assert.match(await page.getByLabel('Seed document (JSON)').inputValue(), /seeded/),
    );
    await inspector.button('Add data').click();
    await inspector.command('/_emulator/seed');
    await table('Users').getByText('Eve', { exact: true }).waitFor();
    assert.equal(await page.getByLabel('App', { exact: true }).inputValue(), 'seeded');
  });

  await check('data_long_lists_grow_by_pages', async () => {
    const users = Object.fromEntries(
      Array.from({ length: 70 }, (_, i) => [`u${i}`, { name: `User ${i}` }]),
    );
    await api.post('seed', { app: 'crowd', users });
    await inspector.open('data/crowd/users');
    const rows = table('Users').locator('tbody tr');
    await eventually(async () => assert.equal(await rows.count(), 30));
    await inspector.button('Show more').click();
    await eventually(async () => assert.equal(await rows.count(), 60));
    await inspector.button('Show more').click();
    await eventually(async () => assert.equal(await rows.count(), 70));
    await inspector.button('Show more').waitFor({ state: 'detached' });
  });
  seen.subscription.unsubscribe();
}
