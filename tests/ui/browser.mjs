// A headless Chromium without access to other machines.
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Other machines have no addresses. The components request a font and an emoji picker from public
 * servers. Playwright does not intercept these requests, because it would answer preflights itself.
 */
const RESOLVER = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';

/** The time limit of the browser's actions, in ms. It is generous for busy machines. */
export const PATIENCE = 15_000;

/**
 * Opens a page in a new browser with an empty profile. Also returns the list of uncaught errors.
 * `hostName` is an additional name of this machine.
 */
export async function openPage(executablePath, hostName) {
  const resolver =
    hostName === undefined ? RESOLVER : RESOLVER.replace('MAP', `MAP ${hostName} 127.0.0.1, MAP`);
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, resolver] });
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
  return { page, errors, close: () => browser.close() };
}
