// Alice uses the published inbox in a browser, and Bob the published client. Prints a JSON line per
// check, and a summary.
//
//     node run-checks.mjs HOST CHROMIUM SCREENSHOT
import { World, assert, check, finish, soon, watch } from '../interop/harness.mjs';
import { PATIENCE, openPage } from './browser.mjs';
import { Inbox, sees } from './inbox.mjs';
import { serve } from './serve.mjs';

const [host, chromium, screenshot] = process.argv.slice(2);
const APP = 'ui';

/** A PNG of 96 by 54 pixels, blue on the left and red on the right. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAGAAAAA2AQMAAAACgQ6RAAAABlBMVEUAWsjcKCiIRmJIAAAAFUlEQVR42mNgAIP/' +
    'YMAwyhnlDCUOANP4QszVD+V4AAAAAElFTkSuQmCC',
  'base64',
);

const world = new World(host, APP);
const [alice, bob] = await world.users('alice', 'bob');
const [alicesPlans, plans] = await world.conversation('plans', [alice, bob]);
const [, lunch] = await world.conversation('lunch', [alice, bob]);
await alicesPlans.send('Hello *Bob*, _how_ are ~things~ you?');
await plans.send('- fine\n- thanks');
await plans.send('See https://example.com/plan');
await lunch.send('Soup?');

const [address, browser] = await Promise.all([serve(), openPage(chromium)]);
const { page } = browser;
const inbox = new Inbox(page);
await page.goto(`${address}?${new URLSearchParams({ app: APP, user: 'alice', host })}`);

const HISTORY = [
  ['currentUser', 'Hello <strong>Bob</strong>, <em>how</em> are <del>things</del> you?'],
  ['other', '<ul><li>fine</li><li>thanks</li></ul>'],
  [
    'other',
    'See <a target="_blank" href="https://example.com/plan" rel="noreferrer">https://example.com/plan</a>',
  ],
];
const LIVE = ['other', 'And <strong>now</strong>?'];
const SENT = ['currentUser', 'Now is <strong>good</strong>'];

const seenByBob = watch((tell) => plans.subscribeMessages(tell));
const plansOfBob = watch((tell) => plans.subscribe(tell));
const typingToBob = watch((tell) => plans.subscribeTyping(tell));

await check('the list shows each conversation with its last message, the latest first', () =>
  sees(
    () => inbox.list(),
    [
      { name: 'About lunch', lastMessage: 'Soup?', unread: '1' },
      { name: 'About plans', lastMessage: 'See https://example.com/plan', unread: '2' },
    ],
  ),
);

await check('the chosen conversation shows its history in order, with its markup', async () => {
  await inbox.open('About plans');
  await sees(() => inbox.history(), HISTORY);
});

await check('what is shown counts as read', async () => {
  await sees(async () => (await inbox.list())[1].unread, null);
  await plansOfBob.until(
    'that Alice has read it',
    ({ everyoneReadUntil, lastMessage }) => everyoneReadUntil >= lastMessage.createdAt,
    PATIENCE,
  );
});

await check("somebody else's typing shows until the message is there", async () => {
  await plans.markAsTyping();
  await page.getByLabel('Bob is typing').waitFor();
  await plans.send('And *now*?');
  await page.getByLabel('Bob is typing').waitFor({ state: 'detached' });
});

await check('a message from somebody else appears as it is sent', async () => {
  await sees(() => inbox.history(), [...HISTORY, LIVE]);
  await sees(
    () => inbox.list(),
    [
      { name: 'About plans', lastMessage: 'And now?', unread: null },
      { name: 'About lunch', lastMessage: 'Soup?', unread: '1' },
    ],
  );
});

await check('what is typed here is told to the others as typing', async () => {
  await inbox.type('Now is *good*');
  await typingToBob.until(
    'Alice typing',
    (typing) => typing?.many === false && typing.users[0]?.id === 'alice',
    PATIENCE,
  );
});

await check('what is sent here arrives', async () => {
  await inbox.send();
  const [message] = await seenByBob.until(
    'the message',
    ([latest]) => latest.plaintext === 'Now is good',
    PATIENCE,
  );
  assert.equal(message.sender.id, 'alice');
  assert.deepEqual(message.content, [
    { type: 'text', children: ['Now is ', { type: 'bold', children: ['good'] }] },
  ]);
  await sees(() => inbox.history(), [...HISTORY, LIVE, SENT]);
});

await check('a reader and a reaction show on the message', async () => {
  const sent = inbox.message('Now is good');
  await sees(() => sent.getAttribute('t-status'), 'sent');
  await plans.markAsRead();
  await sees(() => sent.getAttribute('t-status'), 'everyoneRead');
  await plans.message(seenByBob.latest[0].id).reactions('❤️').add();
  await sent.getByRole('button', { name: '1 reactions with ❤️' }).waitFor();
});

await check('a picture sent here arrives, and is shown from where it is kept', async () => {
  await inbox.sendFile({ name: 'blue and red.png', mimeType: 'image/png', buffer: PICTURE });
  const [message] = await seenByBob.until(
    'the picture',
    ([latest]) => latest.content[0].type === 'file',
    PATIENCE,
  );
  const [block] = message.content;
  assert.deepEqual(
    [block.subtype, block.filename, block.width, block.height, block.size],
    ['image', 'blue and red.png', 96, 54, PICTURE.length],
  );
  const kept = await soon(fetch(block.url));
  assert.deepEqual(Buffer.from(await kept.arrayBuffer()), PICTURE);
  const shown = page.locator(`.t-theme-message img[src="${block.url}"]`);
  await sees(() => shown.evaluate((image) => [image.naturalWidth, image.naturalHeight]), [96, 54]);
});

await check('the page threw nothing', () => assert.deepEqual(browser.errors, []));

await check('all of it fits into one picture', async () => {
  await plans.markAsTyping();
  await page.getByLabel('Bob is typing').waitFor();
});

await page.screenshot({ path: screenshot });
await browser.close();
finish();
