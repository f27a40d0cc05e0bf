// Checks of a page whose stream is lost.
import { check } from '../../interop/harness.mjs';
import { Api, assert, eventually, openInspector, wait } from './inspector.mjs';
import { Proxy } from './proxy.mjs';

export async function checkReconnect(chromium, host, otherHost, { plans }) {
  const proxy = await Proxy.start(host);
  const inspector = await openInspector(chromium, proxy.host);
  const { page } = inspector;
  const list = page.getByRole('listbox', { name: 'Frames' });
  const filter = page.getByRole('search', { name: 'Filter' });
  const state = page.locator('#stream-state');

  /** Returns the texts of the sent messages in the list, in order. */
  const sent = async () => {
    await inspector.button('Copy all as JSON').click();
    const frames = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    const sends = frames.filter(({ method, direction }) => method === 'POST' && direction === 'in');
    return sends.map(({ text }) => text[3].content[0].children[0]);
  };

  await check('stream_cut_resumes_without_loss_or_repeats', async () => {
    await inspector.fill(filter, { Text: 'reconnect' });
    await plans.send('reconnect 1');
    await eventually(async () => assert.deepEqual(await sent(), ['reconnect 1']));
    await inspector.failing(async () => {
      proxy.down();
      await page.getByText('Connection lost, retrying').waitFor();
      await plans.send('reconnect 2');
      await plans.send('reconnect 3');
      await wait(300);
      proxy.up();
      await page.getByText('Live', { exact: true }).waitFor();
    });
    await plans.send('reconnect 4');
    const expected = [1, 2, 3, 4].map((i) => `reconnect ${i}`);
    await eventually(async () => assert.deepEqual(await sent(), expected));
    assert.equal(await state.getAttribute('data-state'), 'live');
  });

  await check('stream_data_pages_reload_after_a_cut', async () => {
    await inspector.open('data/ui/users');
    await page.getByText('Alice', { exact: true }).waitFor();
    await inspector.failing(async () => {
      proxy.down();
      await page.getByText('Connection lost, retrying').waitFor();
      await new Api(host).send('PUT', 'rest/ui/users/zoe', { name: 'Zoe' });
      proxy.up();
      await page.getByText('Zoe', { exact: true }).waitFor();
    });
    await inspector.open('frames');
  });

  await check('stream_return_hides_the_error_of_its_loss', async () => {
    await inspector.open('clock');
    const alert = page.getByRole('alert');
    await inspector.failing(async () => {
      proxy.down();
      await inspector.button('1 minute').click();
      await alert.getByText('The emulator does not answer.').waitFor();
      proxy.up();
      await page.getByText('Live', { exact: true }).waitFor();
    });
    await alert.waitFor({ state: 'hidden' });
    await inspector.open('frames');
  });

  await check('stream_gap_is_shown', async () => {
    await inspector.failing(async () => {
      proxy.down();
      await page.getByText('Connection lost, retrying').waitFor();
      // The emulator keeps 8 MiB.
      for (let i = 0; i < 160; i += 1) await plans.send('x'.repeat(60_000));
      proxy.up();
      await list.getByText(/^\d+ frames are missing here/).waitFor();
    });
  });

  await check('stream_of_a_restarted_emulator_is_followed', async () => {
    await inspector.failing(async () => {
      proxy.moveTo(otherHost);
      proxy.down();
      await page.getByText('Connection lost, retrying').waitFor();
      proxy.up();
      await page.getByText('Live', { exact: true }).waitFor();
    });
    await list.getByText('The emulator was restarted.').waitFor();
    await new Api(otherHost).send('PUT', 'rest/other/users/nora', { name: 'Nora' });
    await inspector.open('data/other/users');
    await page.getByText('Nora', { exact: true }).waitFor();
  });

  await check('stream_page_reports_no_errors', () => assert.deepEqual(inspector.errors, []));
  await inspector.close();
  proxy.stop();
}
