// What a person sees and does in the published inbox.
import { assert, wait } from '../interop/harness.mjs';
import { PATIENCE } from './browser.mjs';

/** How long to wait between two looks, in ms. */
const LOOK_INTERVAL = 50;

export class Inbox {
  constructor(page) {
    this.page = page;
    this.composer = page.getByRole('textbox', { name: 'Message Field' });
  }

  /** The conversation list from top to bottom. */
  list() {
    return this.page.locator('.t-theme-conversation-list-item').evaluateAll((items) => {
      const text = (item, selector) => item.querySelector(selector)?.innerText.trim() ?? null;
      return items
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        .map((item) => ({
          name: text(item, '.t-conversation-name'),
          lastMessage: text(item, '.t-message'),
          unread: text(item, '.t-unread-dot'),
        }));
    });
  }

  /** The messages of the open conversation from top to bottom: whose, and the text as HTML. */
  history() {
    return this.page.locator('.t-theme-message').evaluateAll((messages) =>
      messages
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        .map((message) => [
          message.getAttribute('t-sender'),
          message.querySelector('.t-theme-text-block .t-text')?.innerHTML ?? null,
        ]),
    );
  }

  /** The message that shows this text. */
  message(text) {
    return this.page.locator('.t-theme-message', { hasText: text });
  }

  open(name) {
    return this.page.locator('.t-conversation-name', { hasText: name }).click();
  }

  async type(text) {
    await this.composer.click();
    await this.page.keyboard.type(text);
  }

  send() {
    return this.page.keyboard.press('Enter');
  }

  /** Attaches a file and sends it. */
  async sendFile(file) {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: 'Send file' }).click();
    await (await chooser).setFiles(file);
    await this.page.locator('.t-upload-preview').getByRole('button', { name: 'Send' }).click();
  }
}

/** Looks until it sees what is expected, or fails with the difference. */
export async function sees(look, expected) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const seen = await look();
    try {
      assert.deepEqual(seen, expected);
      return;
    } catch (difference) {
      if (Date.now() > end) throw difference;
    }
    await wait(LOOK_INTERVAL);
  }
}
