// Checks the whole API of the published client, or the named groups of it:
//
//     node run-checks.mjs HOST [GROUP…]
import { check, finish, World } from './harness.mjs';

const [host, ...wanted] = process.argv.slice(2);
const all = [
  'users',
  'conversations',
  'participants',
  'messages',
  'reactions',
  'typing',
  'files',
  'lists',
  'search',
  'session',
];

await Promise.all(
  (wanted.length === 0 ? all : wanted).map(async (group) => {
    const { default: run } = await import(`./checks/${group}.mjs`);
    await check(`${group}: came to its end`, () => run(new World(host, `interop-${group}`)));
  }),
);
finish();
