// Lists that grow by pages.
import { button } from './dom.js';
import { onClick } from './action.js';
import { read } from './api.js';

/** The items by which a list grows. */
const STEP = 30;

/** The maximum page of the REST API. */
const MAX_REST_PAGE = 100;

export class GrowingList {
  #readPage;
  #step;
  #max;
  #wanted;
  items = [];
  hasMore = false;

  /**
   * `readPage(limit, next)` returns the items of a page and the `next` of the page after it, which is null
   * at the end. It is null for the first page, too. A page has up to `max` items.
   */
  constructor(readPage, { step = STEP, max }) {
    this.#readPage = readPage;
    this.#step = step;
    this.#max = max;
    this.#wanted = step;
  }

  /** Loads as many items as are visible, or the first ones. */
  async load() {
    const items = [];
    let next = null;
    do {
      const limit = Math.min(this.#wanted - items.length, this.#max);
      const page = await this.#readPage(limit, next);
      items.push(...page.items);
      next = page.next;
    } while (next !== null && items.length < this.#wanted);
    this.items = items;
    this.hasMore = next !== null;
  }

  /** Creates the button for more items, or returns null if there are none. */
  moreButton(reload, label = 'Show more') {
    if (!this.hasMore) return null;
    const more = onClick(async () => {
      this.#wanted += this.#step;
      await reload();
    });
    return button(label, more, { 'data-key': label });
  }
}

/** Creates a list of the REST API. */
export function restList(path, options) {
  const readPage = async (limit, next) => {
    const query = new URLSearchParams({ limit });
    if (next !== null) query.set('startingAfter', next);
    const { data } = await read(`${path}?${query}`);
    return { items: data, next: data.length === limit ? data.at(-1).id : null };
  };
  return new GrowingList(readPage, { max: MAX_REST_PAGE, ...options });
}
