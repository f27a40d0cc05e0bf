// Lists of the REST API that grow by pages.
import { button } from './dom.js';
import { onClick } from './action.js';
import { read } from './api.js';

/** The items of a page. */
const PAGE = 30;

/** The maximum of the REST API. */
const MAX_PAGE = 100;

export class RestList {
  #path;
  #wanted = PAGE;
  items = [];
  hasMore = false;

  constructor(path) {
    this.#path = path;
  }

  /** Loads as many items as are visible, or a page. */
  async load() {
    const items = [];
    let isFull = true;
    while (isFull && items.length < this.#wanted) {
      const limit = Math.min(this.#wanted - items.length, MAX_PAGE);
      const query = new URLSearchParams({ limit });
      if (items.length > 0) query.set('startingAfter', items.at(-1).id);
      const { data } = await read(`${this.#path}?${query}`);
      items.push(...data);
      isFull = data.length === limit;
    }
    this.items = items;
    this.hasMore = isFull;
  }

  /** Creates the button for the next page, or returns null if there is none. */
  moreButton(reload) {
    if (!this.hasMore) return null;
    const more = onClick(async () => {
      this.#wanted += PAGE;
      await reload();
    });
    return button('Show more', more, { 'data-key': 'more' });
  }
}
