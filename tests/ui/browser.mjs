// A headless Chromium that reaches nothing beyond this machine.
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
  // The components ask public servers for a font and an emoji picker. Not intercepted by Playwright,
  // which would answer preflights itself.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** How long the browser may take over anything, in ms: it may have to share its machine. */
export const PATIENCE = 15_000;

/** A page in a new browser with a new, empty profile, and the list of errors that nothing caught in it. */
export async function openPage(executablePath) {
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
  return { page, errors, close: () => browser.close() };
}
