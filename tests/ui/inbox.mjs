// The visible content of the published inbox, and the actions of its user.
import { assert, wait } from '../interop/harness.mjs';
import { PATIENCE } from './browser.mjs';

/** The pause between two reads, in ms. */
const LOOK_INTERVAL = 50;

export class Inbox {
  constructor(page) {
    this.page = page;
    this.composer = page.getByRole('textbox', { name: 'Message Field' });
  }

  /** Returns the conversation list from top to bottom. */
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

  /** Returns the messages of the open conversation from top to bottom: sender, and text as HTML. */
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

  /** Returns the message with this text. */
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

/** Repeats a read until the result is as expected, or fails with the difference. */
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
