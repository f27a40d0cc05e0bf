// Checks of all pages: headers, keyboard, width, colours and the control token.
import path from 'node:path';
import { check } from '../../interop/harness.mjs';
import { assert, eventually, openInspector, wait } from './inspector.mjs';

/** The addresses of all pages, and of the parts of the data page. */
const PAGES = [
  'frames',
  'connections',
  'data/ui/users',
  'data/ui/conversations',
  'data/ui/conversations/plans',
  'data/ui/seed',
  'act?app=ui&user=alice&conversation=plans',
  'faults',
  'webhooks',
  'clock',
  'snapshots',
  'settings',
];

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1200, height: 760 };

export async function checkHeaders(host) {
  await check('page_has_security_headers', async () => {
    for (const file of ['', 'assets/main.js', 'assets/base.css']) {
      const { status, headers } = await fetch(`http://${host}/_emulator/${file}`);
      assert.equal(status, 200, file);
      const csp = headers.get('content-security-policy').split('; ');
      for (const rule of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
      ]) {
        assert.ok(csp.includes(rule), `${rule} is not in ${csp}`);
      }
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    }
  });
}

export async function checkKeyboard(inspector) {
  const { page } = inspector;
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  const current = () => page.locator('#tabs [aria-current]').textContent();

  await check('keys_numbers_open_pages', async () => {
    await inspector.open('frames');
    const titles = await page.locator('#tabs a').allTextContents();
    for (const [i, title] of titles.entries()) {
      await page.keyboard.press(String(i + 1));
      await eventually(async () => assert.equal(await current(), title));
      assert.equal(await focused(), title);
    }
  });

  await check('keys_shortcuts_are_listed', async () => {
    await inspector.open('frames');
    await page.keyboard.press('?');
    const keys = await page.locator('#shortcuts kbd').allTextContents();
    assert.ok(await page.locator('#shortcuts kbd').first().isVisible());
    for (const key of ['1', '/', 'p', 'x', '?', 'Esc']) assert.ok(keys.includes(key), key);
    for (const key of ['/', 'p', 'x']) {
      const text = await page.locator('#shortcuts div').nth(keys.indexOf(key)).textContent();
      assert.match(text, /Frames: /);
    }
    await page.keyboard.press('?');
  });

  await check('keys_filter_pause_and_escape', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('p/1');
    const search = page.locator('#frame-search');
    assert.equal(await search.inputValue(), 'p/1');
    await search.fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('p');
    await inspector.button('Resume').waitFor();
    await page.keyboard.press('p');
    await inspector.button('Pause').waitFor();
    await page.keyboard.press('x');
    await page.getByText(/^0 of 0 frames$/).waitFor();
  });

  await check('keys_tab_reaches_every_control_in_order', async () => {
    for (const address of PAGES) {
      await inspector.open(address);
      await page.waitForLoadState('networkidle', { timeout: 500 }).catch(() => {});
      await page.evaluate(() => {
        for (const it of document.querySelectorAll('[data-seen]')) it.removeAttribute('data-seen');
        const first = document.querySelector('#tabs a');
        first.setAttribute('data-seen', '');
        first.focus();
      });
      const wanted = await page
        .locator(
          'a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary',
        )
        .evaluateAll(
          (all) =>
            all.filter(
              (it) =>
                it.checkVisibility() && it.closest('details:not([open]) > :not(summary)') === null,
            ).length,
        );
      const seen = ['the first tab'];
      for (let i = 0; i < wanted + 12; i += 1) {
        await page.keyboard.press('Tab');
        const it = await page.evaluate(() => {
          const { activeElement } = document;
          if (activeElement === document.body) return null;
          const { outlineStyle } = getComputedStyle(activeElement);
          const isFirst = !activeElement.hasAttribute('data-seen');
          activeElement.setAttribute('data-seen', '');
          return { name: activeElement.outerHTML.slice(0, 80), outlineStyle, isFirst };
        });
        if (it === null || !it.isFirst) break;
        assert.notEqual(it.outlineStyle, 'none', `${address}: no visible focus on ${it.name}`);
        seen.push(it.name);
      }
      assert.ok(
        seen.length >= wanted,
        `${address}: ${seen.length} of ${wanted} controls\n${seen.join('\n')}`,
      );
    }
  });
}

export async function checkNames(inspector) {
  const { page } = inspector;
  await check('controls_have_accessible_names', async () => {
    for (const address of PAGES) {
      await inspector.open(address);
      const unnamed = await page
        .locator('button, a[href], input, select, textarea, [role=listbox], pre[tabindex]')
        .evaluateAll((all) =>
          all
            .filter((it) => it.checkVisibility())
            .filter(
              (it) =>
                !it.getAttribute('aria-label') && !it.textContent.trim() && !it.labels?.length,
            )
            .map((it) => it.outerHTML),
        );
      assert.deepEqual(unnamed, [], address);
    }
  });
}

/** Returns the elements whose text has too little contrast with their background. */
function lowContrast(elements) {
  const parse = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const background = (it) => {
    const [r, g, b, a = 1] = parse(getComputedStyle(it).backgroundColor);
    return a > 0 ? [r, g, b] : background(it.parentElement);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (it) => {
    const text = parse(getComputedStyle(it).color).slice(0, 3);
    const [a, b] = [text, background(it)].map(luminance);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return elements
    .filter((it) => it.checkVisibility() && it.textContent.trim() !== '')
    .map((it) => [contrast(it), it.outerHTML.slice(0, 100)])
    .filter(([ratio]) => ratio < 4.5);
}

export async function checkAppearance(inspector, folder) {
  const { page } = inspector;
  for (const colorScheme of ['light', 'dark']) {
    await check(`appearance_${colorScheme}_is_readable`, async () => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const address of PAGES) {
        await inspector.open(address);
        const texts = page.locator('h3, p, td, th, label, button:enabled, a, .cell, code, summary');
        const low = await texts.evaluateAll(lowContrast);
        assert.deepEqual(low, [], `${address} in ${colorScheme}`);
      }
    });
  }

  await check('appearance_phone_does_not_scroll_sideways', async () => {
    await page.setViewportSize(PHONE);
    for (const address of PAGES) {
      await inspector.open(address);
      await screenshot(page, folder, 'phone', address);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= PHONE.width, `${address} is ${width} px wide`);
    }
    await page.setViewportSize(DESKTOP);
  });

  await check('appearance_long_names_fit_a_phone', async () => {
    const name = 'n'.repeat(255);
    const rest = (path) => `rest/names/${path}`;
    await inspector.api.send('PUT', rest(`users/${name}`), { name });
    const conversation = { subject: name, participants: [name] };
    await inspector.api.send('PUT', rest(`conversations/${name}`), conversation);
    const message = { type: 'UserMessage', sender: name, text: name };
    await inspector.api.post(rest(`conversations/${name}/messages`), [message]);
    await page.setViewportSize(PHONE);
    for (const address of [
      'data/names/users',
      'data/names/conversations',
      `data/names/conversations/${name}`,
      `act?app=names&user=${name}&conversation=${name}`,
    ]) {
      await inspector.open(address);
      await page.locator('main', { hasText: name }).waitFor();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= PHONE.width, `${address} is ${width} px wide`);
    }
    await page.setViewportSize(DESKTOP);
  });

  await check('appearance_long_values_leave_room_for_columns', async () => {
    const rest = (path) => `rest/wide/${path}`;
    for (const user of [
      { name: 'W'.repeat(255) },
      { name: 'many words '.repeat(20) },
      { name: 'Custom', custom: { key: 'v'.repeat(300) } },
    ]) {
      await inspector.api.send('PUT', rest(`users/${user.name.slice(0, 6).trim()}`), user);
    }
    await inspector.open('data/wide/users');
    const heads = page.getByRole('columnheader');
    await heads.first().waitFor();
    const widths = await heads.evaluateAll((all) =>
      all.filter((it) => it.textContent !== '').map((it) => it.getBoundingClientRect().width),
    );
    assert.ok(Math.min(...widths) >= 80, widths.join());
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= page.viewportSize().width, `${width} px`);
  });

  await check('appearance_names_keep_the_direction_around_them', async () => {
    const name = '\u202Etxet';
    await inspector.api.send('PUT', 'rest/turned/users/turned', { name });
    await inspector.api.send('PUT', `rest/turned/users/${name}`, { name });
    const conversation = { subject: name, participants: [name, 'turned'] };
    await inspector.api.send('PUT', `rest/turned/conversations/${name}`, conversation);
    const message = { type: 'UserMessage', sender: name, text: 'Hello' };
    await inspector.api.post(`rest/turned/conversations/${name}/messages`, [message]);
    const isolated = '\u2068\u202Etxet\u2069';
    await inspector.open(`act?app=turned&user=turned&conversation=${name}`);
    const options = page.getByLabel('User', { exact: true }).locator('option');
    await eventually(async () =>
      assert.deepEqual((await options.allTextContents()).sort(), [
        isolated,
        `${isolated} (\u2068turned\u2069)`,
      ]),
    );
    await page.locator('.bubble bdi', { hasText: name }).waitFor();
    await inspector.open('data/turned/conversations');
    await page.locator('td bdi', { hasText: name }).waitFor();
  });

  await check('appearance_low_window_shows_the_composer', async () => {
    await page.setViewportSize({ width: 1000, height: 300 });
    await inspector.open('act?app=ui&user=alice&conversation=plans');
    const composer = page.getByLabel('Message', { exact: true });
    for (const text of ['One', 'Two']) {
      await composer.fill(text);
      await page.keyboard.press('Enter');
      await inspector.command(`"${text}"`);
      const [field, panel] = await Promise.all([
        composer.boundingBox(),
        page.locator('#command').boundingBox(),
      ]);
      assert.ok(field.y + field.height <= panel.y, JSON.stringify({ field, panel }));
    }
    await page.setViewportSize(DESKTOP);
  });

  await check('appearance_screenshots_are_kept', async () => {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      for (const address of PAGES) {
        await inspector.open(address);
        await screenshot(page, folder, colorScheme, address);
      }
    }
    await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  });
}

async function screenshot(page, folder, kind, address) {
  // The content is loaded after the page has opened.
  await page.waitForLoadState('networkidle', { timeout: 300 }).catch(() => {});
  const name = address.split('?')[0].replaceAll('/', '-');
  await page.screenshot({ path: path.join(folder, `${name}-${kind}.png`) });
}

/** The page under a host name that needs the control token. */
export async function checkToken(chromium, name, host, controlToken) {
  const port = host.split(':')[1];
  const inspector = await openInspector(chromium, `${name}:${port}`, name);
  inspector.expectsFailures = true;
  const { page, dialog } = inspector;
  const enterButton = inspector.button('Enter the token');
  /** Enters a token that is refused: the next dialog follows at once. */
  const enter = async (value) => {
    await dialog.getByLabel('Control token').fill(value);
    await inspector.button('Continue', dialog).click();
  };
  await check('token_dialog_stays_closed_after_cancel', async () => {
    await dialog.getByLabel('Control token').waitFor();
    await page.keyboard.press('Escape');
    await enterButton.waitFor();
    await page.getByText('The control token is missing', { exact: true }).waitFor();
    await inspector.open('clock');
    await page.getByRole('alert').getByText('token').waitFor();
    // The stream has retried several times.
    await wait(3000);
    assert.equal(await dialog.count(), 0);
  });

  await check('token_refusals_are_explained', async () => {
    await enterButton.click();
    await enter('ключ');
    await dialog.getByText('A token consists of').waitFor();
    await enter('wrong');
    await dialog.getByText('The emulator refused this token.').waitFor();
    await page.evaluate(() => sessionStorage.setItem('talk-emulator-token', 'ключ'));
    await page.reload();
    await dialog.getByText('the emulator requires the token').waitFor();
    assert.equal(await dialog.getByRole('alert').count(), 0);
  });

  await check('token_is_requested_once_and_not_shown', async () => {
    await dialog.getByLabel('Control token').fill(controlToken);
    await inspector.confirm('Continue');
    await page.getByText('Live', { exact: true }).waitFor();
    await inspector.open('clock');
    await inspector.button('1 minute').click();
    const command = await inspector.command('-H "Authorization: Bearer $TOKEN"');
    assert.ok(!command.includes(controlToken));
    assert.ok(!(await page.content()).includes(controlToken));
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    assert.equal(await dialog.count(), 0);
    assert.deepEqual(inspector.errors, []);
  });
  await inspector.close();
}
