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
  // The components request a font and an emoji picker from public servers. Playwright does not
  // intercept these requests, because it would answer preflights itself.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** The time limit of the browser's actions, in ms. It is generous for busy machines. */
export const PATIENCE = 15_000;

/** Opens a page in a new browser with an empty profile. Also returns the list of uncaught errors. */
export async function openPage(executablePath) {
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
  return { page, errors, close: () => browser.close() };
}
