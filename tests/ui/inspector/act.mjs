// Checks of the page that acts as a user.
import { check, watch } from '../../interop/harness.mjs';
import { assert, eventually, wait } from './inspector.mjs';

export async function checkAct(inspector, { alice, bob, world }) {
  const { page, dialog, api } = inspector;
  const [lunch, ofBob] = await world.conversation('lunch', [alice, bob]);
  const seen = watch((tell) => ofBob.subscribeMessages(tell));
  const typing = watch((tell) => ofBob.subscribeTyping(tell));
  const list = page.getByRole('region', { name: 'Conversations' });
  const bubble = (text) =>
    page.locator('.bubble', { has: page.locator('.message-text', { hasText: text }) });
  const compose = page.getByLabel('Message', { exact: true });
  const command = (path) =>
    inspector.command('/_emulator/act', `"user":"alice"`, `"path":"${path}`);

  await check('act_user_and_conversation_are_chosen', async () => {
    await inspector.open('act?app=ui&user=alice');
    await list.getByRole('link', { name: /^About lunch/ }).click();
    await page.getByRole('heading', { name: 'About lunch' }).waitFor();
    assert.equal(await page.getByLabel('User', { exact: true }).inputValue(), 'alice');
  });

  await check('act_sent_message_reaches_a_client', async () => {
    await compose.fill('Soup & <b>bread</b>?');
    await page.keyboard.press('Enter');
    const [message] = await seen.until(
      'the message',
      ([latest]) => latest?.plaintext === 'Soup & <b>bread</b>?',
    );
    assert.equal(message.sender.id, 'alice');
    await command('/conversations/lunch/messages');
    await bubble('Soup & <b>bread</b>?').waitFor();
    assert.equal(await compose.inputValue(), '');
  });

  await check('act_command_sends_again', async () => {
    const before = seen.latest.length;
    const answer = await inspector.runCommand('/_emulator/act');
    assert.equal(answer.status, 200);
    await seen.until('the second message', (all) => all.length === before + 1);
  });

  await check('act_command_contains_a_long_body', async () => {
    const text = `it's ${'long '.repeat(2500)}`.trim();
    await compose.fill(text);
    await page.keyboard.press('Enter');
    await bubble(text.slice(0, 50)).first().waitFor();
    const before = seen.latest.length;
    const answer = await inspector.runCommand('/_emulator/act', '--data-binary @-');
    assert.equal(answer.status, 200);
    const [latest] = await seen.until('the copy', (all) => all.length === before + 1);
    assert.equal(latest.plaintext, text);
  });

  await check('act_typing_is_shown_on_both_sides', async () => {
    await inspector.button('Type').click();
    await typing.until('Alice', (it) => it?.users?.[0]?.id === 'alice');
    await ofBob.markAsTyping();
    await page.getByText('bob is typing.').waitFor();
  });

  await check('act_reply_quotes_a_message', async () => {
    await ofBob.send('Which soup?');
    const { id } = (await seen.until('the question', ([it]) => it.plaintext === 'Which soup?'))[0];
    await inspector.button(`Reply message ${id}`).click();
    await compose.fill('Tomato');
    await inspector.button('Send').click();
    const [reply] = await seen.until('the reply', ([latest]) => latest.plaintext === 'Tomato');
    assert.equal(reply.referencedMessage.id, id);
    await bubble('Tomato').locator('blockquote', { hasText: 'Which soup?' }).waitFor();
  });

  await check('act_reaction_is_added_and_removed', async () => {
    const { id } = seen.latest.find(({ plaintext }) => plaintext === 'Which soup?');
    const reactions = (all) => all.find((it) => it.id === id).reactions.length;
    await inspector.button(`React with 👍 to message ${id}`).click();
    await seen.until('the reaction', (all) => reactions(all) === 1);
    const pressed = page.getByRole('button', {
      name: `Reaction 👍 on message ${id}`,
      pressed: true,
    });
    await pressed.click();
    await seen.until('no reaction', (all) => reactions(all) === 0);
    await command(`/conversations/lunch/messages/${id}/reactions/%F0%9F%91%8D/alice`);
  });

  await check('act_message_is_edited_and_deleted', async () => {
    const { id } = seen.latest[0];
    await inspector.button(`Edit message ${id}`).click();
    await inspector.fill(dialog, { 'Text with markup': '*Pumpkin*' });
    await inspector.confirm('Save');
    const edited = await seen.until('the edit', ([latest]) => latest.plaintext === 'Pumpkin');
    assert.equal(edited[0].content[0].children[0].type, 'bold');
    await inspector.button(`Delete message ${id}`).click();
    await inspector.confirm('Delete message');
    await seen.until('the deletion', (all) => all.every((it) => it.id !== id));
  });

  await check('act_edit_keeps_what_it_does_not_change', async () => {
    const url = 'rest/ui/conversations/lunch/messages';
    const rich = 'A *bold* soup:\r\n- with _salt_\n- <https://example.com|a link>';
    const [{ id }] = await api.post(url, [{ type: 'UserMessage', sender: 'alice', text: rich }]);
    const before = await api.get(`${url}/${id}`);
    await inspector.button(`Edit message ${id}`).click();
    await inspector.confirm('Save');
    assert.deepEqual(await api.get(`${url}/${id}`), before);
    await api.post('settings', { roles: { default: { links: true } } });
    await inspector.button(`Edit message ${id}`).click();
    const field = dialog.getByLabel('Text with markup');
    await field.fill((await field.inputValue()).replace('salt', 'pepper'));
    await inspector.confirm('Save');
    const { content, text } = await api.get(`${url}/${id}`);
    assert.equal(text, rich.replace('salt', 'pepper').replace('\r', ''));
    const types = content[0].children.map((it) => it.type ?? 'text');
    assert.ok(types.includes('bold') && types.includes('bulletList'), types.join());
    await api.post('settings', { roles: null });
  });

  await check('act_file_message_cannot_become_a_text', async () => {
    const form = new FormData();
    form.append('file', new Blob(['Tomatoes']), 'recipe.txt');
    const headers = { Authorization: 'Bearer any' };
    const upload = await fetch(new URL('/v1/ui/files', inspector.address), {
      method: 'POST',
      headers,
      body: form,
    });
    const { attachmentToken } = await upload.json();
    const url = 'rest/ui/conversations/lunch/messages';
    const message = { type: 'UserMessage', sender: 'alice', attachmentToken };
    const [{ id }] = await api.post(url, [message]);
    await inspector.button(`Delete message ${id}`).waitFor();
    assert.equal(await inspector.button(`Edit message ${id}`).count(), 0);
    await inspector.open('data/ui/conversations/lunch');
    await inspector.button(`Edit message ${id}`).click();
    await inspector.fill(dialog, { 'Text with markup': 'The *recipe*' });
    await inspector.confirm('Save');
    const { content } = await api.get(`${url}/${id}`);
    assert.deepEqual(content.map(({ type }) => type).sort(), ['file', 'text']);
    await inspector.open('act?app=ui&user=alice&conversation=lunch');
    await api.send('DELETE', `${url}/${id}`);
  });

  await check('act_focus_stays_at_the_place_of_an_action', async () => {
    const url = 'rest/ui/conversations/lunch/messages';
    const message = { type: 'UserMessage', sender: 'alice', text: 'For the keyboard' };
    const [{ id }] = await api.post(url, [message]);
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: it } = document;
        return it.getAttribute('aria-label') ?? it.name ?? it.tagName;
      });
    const press = async (name, expected, confirm) => {
      await inspector.button(name).focus();
      await page.keyboard.press('Enter');
      if (confirm !== undefined) await inspector.confirm(confirm);
      await eventually(async () => assert.equal(await focused(), expected));
    };
    await press(`React with 👍 to message ${id}`, `Reaction 👍 on message ${id}`);
    await press(`Reaction 👍 on message ${id}`, `React with 👍 to message ${id}`);
    await press(`Edit message ${id}`, `Edit message ${id}`, 'Save');
    await press(`Reply message ${id}`, 'text');
    await press('Cancel reply', 'text');
    await press(`Delete message ${id}`, 'Messages', 'Delete message');
    const link = list.getByRole('link', { name: /^About plans/ });
    await link.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'About plans' }).waitFor();
    const isFocused = () => link.evaluate((it) => it === document.activeElement);
    await eventually(async () => assert.ok(await isFocused(), await focused()));
    await inspector.open('act?app=ui&user=alice&conversation=lunch');
  });

  await check('act_typing_of_another_page_is_shown', async () => {
    const path = '/me/conversations/lunch/typing';
    // The page has read the data of the changes before.
    await wait(1000);
    await api.post('act', { app: 'ui', user: 'bob', method: 'POST', path });
    await page.getByText('bob is typing.').waitFor();
  });

  await check('act_mark_as_unread_and_read', async () => {
    const snapshot = watch((tell) => lunch.subscribe(tell));
    await snapshot.until('the conversation', (it) => it !== null);
    await inspector.button('Mark as unread').click();
    await snapshot.until('unread', (it) => it.isUnread);
    await list.getByText('unread').waitFor();
    await inspector.button('Mark as read').click();
    await snapshot.until('read', (it) => !it.isUnread);
    snapshot.subscription.unsubscribe();
  });

  await check('act_refused_action_shows_the_reason', async () => {
    await inspector.api.post('settings', { roles: { default: { reply: false } } });
    const { id } = seen.latest.find(({ plaintext }) => plaintext === 'Which soup?');
    await inspector.button(`Reply message ${id}`).click();
    await compose.fill('No');
    await inspector.failing(async () => {
      await inspector.button('Send').click();
      await page.getByRole('alert').waitFor();
    });
    assert.equal(await compose.inputValue(), 'No');
    await inspector.api.post('settings', { roles: null });
    await eventually(async () => assert.equal(await inspector.button('Send').isEnabled(), true));
  });
  seen.subscription.unsubscribe();
  typing.subscription.unsubscribe();

  await check('act_long_lists_grow_by_pages', async () => {
    const user = page.getByLabel('User', { exact: true });
    const users = Array.from({ length: 150 }, (_, i) => [`u${i}`, { name: `User ${i}` }]);
    await api.post('seed', { app: 'many', users: Object.fromEntries(users) });
    const newest = (await api.get('rest/many/users?limit=100')).data.map(({ id }) => id);
    const old = users.map(([id]) => id).find((id) => !newest.includes(id));
    const conversations = Array.from({ length: 35 }, (_, i) => ({
      id: `c${i}`,
      participants: [old],
      messages: Array.from({ length: 45 }, (_, at) => ({ sender: old, text: `Text ${at}` })),
    }));
    await api.post('seed', { app: 'many', users: {}, conversations });
    await inspector.open(`act?app=many&user=${old}&conversation=c0`);
    const counts = async (item, expected) =>
      eventually(async () => assert.equal(await item.count(), expected));
    await counts(page.locator('.bubble'), 30);
    assert.equal(await user.inputValue(), old);
    await inspector.button('Show more users').click();
    await counts(user.locator('option'), 150);
    assert.equal(await user.inputValue(), old);
    await inspector.button('Show more conversations').click();
    await counts(list.getByRole('link'), 35);
    await inspector.button('Show earlier messages').click();
    await counts(page.locator('.bubble'), 45);
    assert.equal(await page.getByRole('button', { name: /^Show (more|earlier)/ }).count(), 0);
  });
}
