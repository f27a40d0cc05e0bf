// Checks of the page with the frames.
import { check, watch } from '../../interop/harness.mjs';
import { assert, eventually } from './inspector.mjs';

export async function checkFrames(inspector, { alice, bob, plans }) {
  const { page } = inspector;
  const list = page.getByRole('listbox', { name: 'Frames' });
  const rows = list.getByRole('option');
  const detail = page.getByRole('region', { name: 'Selected frame' });
  const filter = page.getByRole('search', { name: 'Filter' });
  const count = page.locator('#frame-count');
  const sends = () => rows.filter({ hasText: /POST.*\/messages/ });
  const clearFilter = async () => {
    await inspector.fill(filter, { Text: '', User: '', Direction: 'any', Status: 'any' });
    await filter.getByLabel('Pings and ACKs').check();
  };

  await check('frames_sent_message_is_live', async () => {
    await inspector.open('frames');
    await plans.send('A frame with <b>markup</b> & "quotes"');
    await inspector.fill(filter, { Text: '<b>markup' });
    await sends().first().waitFor();
    const row = await sends().first().textContent();
    assert.match(row, /from clientalice/);
  });

  await check('frames_selected_row_shows_its_json', async () => {
    await sends().first().click();
    const text = await detail.locator('pre').textContent();
    const frame = JSON.parse(text);
    assert.equal(frame[1], 'POST');
    assert.deepEqual(frame[3].content[0].children, ['A frame with <b>markup</b> & "quotes"']);
    assert.match(text, /\n  /);
    assert.match(await detail.textContent(), /Directionfrom client/);
  });

  await check('frames_request_and_answer_are_linked', async () => {
    await inspector.button('Show answer', detail).click();
    await eventually(async () => {
      assert.match(await detail.textContent(), /Status200Duration\d+ ms/);
      assert.match(await detail.locator('pre').textContent(), /"msg_/);
    });
    await inspector.button('Show request', detail).click();
    await inspector.button('Show answer', detail).waitFor();
  });

  await check('frames_filter_by_text_user_direction_status', async () => {
    await bob.conversation('plans').get();
    const check = async (values, holds) => {
      await clearFilter();
      await inspector.fill(filter, values);
      await eventually(async () => {
        const texts = await rows.allTextContents();
        assert.ok(texts.length > 0, 'no row');
        for (const text of texts) assert.ok(holds(text), text);
      });
    };
    await check({ Text: '<b>markup' }, (text) => /\/messages|message\.created/.test(text));
    await check({ User: 'bob' }, (text) => text.includes('bob'));
    await check({ Direction: 'in' }, (text) => text.includes('from client'));
    await check({ Direction: 'out' }, (text) => text.includes('to client'));
    await check({ Status: 'ok' }, (text) => /200/.test(text));
    // Without the path, the fault could refuse a renewal of the session. The published client then
    // never sends the message.
    const path = '/conversations/plans/messages';
    await inspector.api.post('faults', { kind: '429', user: 'alice', path });
    await plans.send('Refused once');
    await check({ Status: 'refused' }, (text) => text.includes('429'));
    await clearFilter();
  });

  await check('frames_pause_holds_and_resume_catches_up', async () => {
    await inspector.button('Pause').click();
    const before = await count.textContent();
    await plans.send('While paused');
    await eventually(async () => assert.match(await count.textContent(), / [1-9]\d* new$/));
    assert.ok((await count.textContent()).startsWith(before));
    await inspector.button('Resume').click();
    await eventually(async () => assert.doesNotMatch(await count.textContent(), /new/));
    await inspector.fill(filter, { Text: 'while paused' });
    await sends().first().waitFor();
    await clearFilter();
  });

  await check('frames_copy_puts_json_on_the_clipboard', async () => {
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await inspector.fill(filter, { Text: 'while paused', Direction: 'in' });
    await sends().first().click();
    await inspector.button('Copy frame', detail).click();
    const read = async () => JSON.parse(await clipboard());
    const frame = await eventually(read);
    assert.equal(frame.user, 'alice');
    assert.deepEqual(frame.text[3].content[0].children, ['While paused']);
    await inspector.button('Copy all as JSON').click();
    await eventually(async () => assert.deepEqual(await read(), [frame]));
    await clearFilter();
  });

  await check('frames_keys_move_the_selection', async () => {
    await list.focus();
    const active = () =>
      list.evaluate((it) => {
        const row = document.getElementById(it.getAttribute('aria-activedescendant') ?? '');
        return row === null ? null : Number(row.getAttribute('aria-posinset'));
      });
    const press = async (key, position) => {
      await page.keyboard.press(key);
      await eventually(async () => assert.equal(await active(), position, key));
    };
    await inspector.button('Pause').click();
    await list.focus();
    await press('Home', 1);
    await press('ArrowDown', 2);
    await press('ArrowDown', 3);
    await press('ArrowUp', 2);
    const total = Number(await rows.first().getAttribute('aria-setsize'));
    await press('End', total);
    await press('ArrowDown', total);
    await page.keyboard.press('PageUp');
    await eventually(async () => assert.ok((await active()) < total));
    await page.keyboard.press('Enter');
    assert.ok(await detail.evaluate((it) => it === document.activeElement));
    await inspector.button('Resume').click();
  });

  await check('frames_many_are_bounded_in_the_page', async () => {
    const seen = watch((tell) => bob.conversation('plans').subscribeMessages(tell));
    for (let i = 0; i < 60; i += 1) await plans.send(`Message ${i}`);
    await seen.until('the last', ([latest]) => latest.plaintext === 'Message 59');
    seen.subscription.unsubscribe();
    await eventually(async () => {
      const total = Number((await count.textContent()).split(' ')[0]);
      assert.ok(total > 180, String(total));
    });
    assert.ok((await rows.count()) < 80, 'all rows are in the page');
    await inspector.fill(filter, { Text: 'message 59' });
    await sends().first().waitFor();
    await clearFilter();
  });

  await check('frames_clear_empties_the_list', async () => {
    await inspector.button('Clear').click();
    await eventually(async () => assert.match(await count.textContent(), /^\d of /));
    await alice.conversation('plans').get();
  });
}
