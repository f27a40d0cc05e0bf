// The inspector in a browser, with the published client as its traffic. Prints a JSON line per check, and
// a summary.
//
//     node run-checks.mjs HOST OTHER_HOST TOKEN_HOST CHROMIUM SCREENSHOTS
import { World, check, finish } from '../../interop/harness.mjs';
import { assert, openInspector } from './inspector.mjs';
import { checkAct } from './act.mjs';
import { checkAppearance, checkHeaders, checkKeyboard, checkNames, checkToken } from './shell.mjs';
import { checkClock, checkFaults, checkSettings, checkSnapshots } from './control.mjs';
import { checkConnections } from './connections.mjs';
import { checkData } from './data.mjs';
import { checkForeignPages } from './foreign.mjs';
import { checkFrames } from './frames.mjs';
import { checkReconnect } from './reconnect.mjs';
import { checkWebhooks } from './webhooks.mjs';

const [host, otherHost, tokenHost, chromium, screenshots] = process.argv.slice(2);

const world = new World(host, 'ui');
const [alice, bob] = await world.users('alice', 'bob');
const [plans] = await world.conversation('plans', [alice, bob]);
await plans.send('Hello *Bob*');
const actors = { world, alice, bob, plans };

const inspector = await openInspector(chromium, host);
await checkHeaders(host);
await checkFrames(inspector, actors);
await checkConnections(inspector, actors);
await checkData(inspector, actors);
await checkAct(inspector, actors);
await checkFaults(inspector, actors);
await checkWebhooks(inspector, actors);
await checkSettings(inspector, actors);
await checkKeyboard(inspector);
await checkNames(inspector);
await checkAppearance(inspector, screenshots);
await checkReconnect(chromium, host, otherHost, actors);
await checkForeignPages(chromium, host);
await checkToken(chromium, 'talk.internal', tokenHost, 'control-token');
// The data and the time change for all clients.
await checkSnapshots(inspector);
await checkClock(inspector);
await check('page_reports_no_errors', () => assert.deepEqual(inspector.errors, []));
await inspector.close();
finish();
