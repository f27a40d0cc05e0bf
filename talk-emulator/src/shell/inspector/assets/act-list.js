// The lists of the page to act as a user.
import { actAs, find } from './api.js';
import { GrowingList } from './growing-list.js';

/** Creates a list that a user reads. A page has up to `max` items. */
export function actList(actor, target, data, max) {
  const readPage = async (limit, next) => {
    const parameters = { ...data, limit, cursor: next ?? undefined };
    const request = { ...actor.base, method: 'GET', path: target, data: parameters };
    const page = await actAs(request, false);
    return { items: page.data, next: page.cursor ?? null };
  };
  return new GrowingList(readPage, { max });
}

/** Loads the users of a choice, and returns them with the chosen one. */
export async function usersWith(app, users, chosen) {
  await users.load();
  if (chosen === null || users.items.some(({ id }) => id === chosen)) return users.items;
  const user = (await find(app, ['users', chosen])) ?? { id: chosen, name: chosen };
  return [...users.items, user];
}
