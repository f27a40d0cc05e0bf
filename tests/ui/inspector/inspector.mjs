// The inspector in a browser, and the emulator behind it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { assert, soon, wait } from '../../interop/harness.mjs';
import { PATIENCE, openPage } from '../browser.mjs';

const run = promisify(execFile);

/** The time limit of the start of a browser with the page, in ms. */
const OPEN_PATIENCE = 60_000;

/** The pause between two reads, in ms. */
const LOOK_INTERVAL = 50;

/** Chromium ignores one of the headers without TLS, except on this machine, and reports it. */
const IGNORED_HEADER = /Cross-Origin-Opener-Policy header has been ignored/;

/** Repeats a read until it does not throw. Returns its result. */
export async function eventually(look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await wait(LOOK_INTERVAL);
  }
}

/** Requests to an emulator without the page. */
export class Api {
  constructor(host) {
    this.base = `http://${host}/_emulator/`;
  }

  async send(method, path, body) {
    const init = { method, signal: AbortSignal.timeout(PATIENCE) };
    if (body !== undefined || method !== 'GET') {
      init.headers = { 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body ?? {});
    }
    const response = await fetch(this.base + path, init);
    const data = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(data)}`);
    return data;
  }

  get(path) {
    return this.send('GET', path);
  }

  post(path, body) {
    return this.send('POST', path, body);
  }
}

export class Inspector {
  constructor({ page, errors, close }, host) {
    this.page = page;
    this.errors = errors;
    this.close = close;
    this.address = `http://${host}/_emulator/`;
    this.api = new Api(host);
    /** Failed requests are errors of the console. Checks of refusals and lost streams expect them. */
    this.expectsFailures = false;
    page.on('console', (message) => this.#onConsole(message));
  }

  #onConsole(message) {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const isFailure = /^Failed to load resource/.test(message.text());
    if ((isFailure && this.expectsFailures) || IGNORED_HEADER.test(message.text())) return;
    this.errors.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  }

  /** Runs a body in which requests of the page may fail. */
  async failing(body) {
    this.expectsFailures = true;
    try {
      await body();
    } finally {
      await wait(LOOK_INTERVAL);
      this.expectsFailures = false;
    }
  }

  /** Opens the page of an address. Dialogs that a failed check has left open are closed. */
  async open(hash) {
    await this.page.evaluate((it) => {
      for (const dialog of document.querySelectorAll('dialog')) dialog.close();
      location.hash = it;
    }, hash);
    const id = hash.split(/[/?]/)[0];
    await this.page.locator(`main.page-${id}`).waitFor();
  }

  button(name, scope = this.page) {
    return scope.getByRole('button', { name, exact: true });
  }

  /** The open dialog. */
  get dialog() {
    return this.page.getByRole('dialog');
  }

  /** Confirms the open dialog with its button. */
  async confirm(name) {
    await this.button(name, this.dialog).click();
    await this.dialog.waitFor({ state: 'detached' });
  }

  /** Fills fields by their labels. */
  async fill(scope, values) {
    for (const [label, value] of Object.entries(values)) {
      const control = scope.getByLabel(label, { exact: true });
      const tag = await control.evaluate((it) => it.tagName);
      if (tag === 'SELECT') await control.selectOption(value);
      else await control.fill(value);
    }
  }

  /**
   * Waits until the panel shows a command that contains all parts, or matches those that are regular
   * expressions, with status 200. Returns it.
   */
  async command(...parts) {
    return eventually(async () => {
      const text = await this.page.locator('#command-text').textContent({ timeout: 1000 });
      for (const part of parts) {
        const isFound = part instanceof RegExp ? part.test(text) : text.includes(part);
        assert.ok(isFound, `${part} is not in ${text}`);
      }
      const status = await this.page.locator('#command-status').textContent();
      assert.equal(status, '200', text);
      return text;
    });
  }

  /** Runs the command of the panel in a shell, and returns the JSON that it prints. */
  async runCommand(...parts) {
    const command = await this.command(...parts);
    // With `exec`, the time limit ends the command itself, which would keep the output open.
    const { stdout } = await run('sh', ['-c', `exec ${command}`], { timeout: PATIENCE });
    return JSON.parse(stdout);
  }
}

/** Opens the inspector of an emulator in a new browser. `hostName` is an additional name of this machine. */
export function openInspector(executablePath, host, hostName) {
  return soon(open(executablePath, host, hostName), 'inspector', OPEN_PATIENCE);
}

async function open(executablePath, host, hostName) {
  const browser = await openPage(executablePath, hostName);
  const { page } = browser;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.exposeFunction('reportViolation', (text) => browser.errors.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { violatedDirective, blockedURI, sourceFile, lineNumber } = event;
      const place = `${sourceFile}:${lineNumber}`;
      window.reportViolation(`CSP: ${violatedDirective} blocks ${blockedURI} at ${place}`);
    });
  });
  const inspector = new Inspector(browser, host);
  await page.goto(inspector.address);
  return inspector;
}

export { assert, wait };
