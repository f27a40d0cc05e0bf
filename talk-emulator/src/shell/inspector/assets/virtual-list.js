// A list box that renders only the visible rows of a long list. It follows the newest row while it is
// scrolled to the end.
import { el } from './dom.js';

/** The rows that are rendered above and below the visible ones. */
const MARGIN = 8;

export class VirtualList {
  #items = [];
  #rows = new Map();
  #rowHeight = 0;
  #selected = null;
  #follows = true;
  #renderRow;
  #onSelect;
  #onOpen;

  /**
   * `renderRow(item)` returns the content of a row, `onSelect(item)` is called for each selection, and
   * `onOpen(item)` for Enter. Items have a unique `n`.
   */
  constructor(label, { renderRow, onSelect, onOpen }) {
    this.#renderRow = renderRow;
    this.#onSelect = onSelect;
    this.#onOpen = onOpen;
    this.space = el('div', { class: 'space', role: 'presentation' });
    this.element = el(
      'div',
      {
        class: 'virtual-list',
        role: 'listbox',
        tabindex: '0',
        'aria-label': label,
        onscroll: () => this.#onScroll(),
        onkeydown: (event) => this.#onKey(event),
      },
      this.space,
    );
    this.resizing = new ResizeObserver(() => this.#onResize());
    this.resizing.observe(this.element);
  }

  get selected() {
    return this.#selected;
  }

  /** Replaces the items. The selection stays if its item does. */
  setItems(items) {
    this.#items = items;
    this.#render();
  }

  /** Selects an item and makes it visible. */
  select(item) {
    this.#selected = item;
    this.#reveal(this.#items.indexOf(item));
    this.#onSelect(item);
  }

  /** Scrolls to the newest item and follows. */
  follow() {
    this.#follows = true;
    this.#render();
  }

  dispose() {
    this.resizing.disconnect();
  }

  #onScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    this.#follows = scrollTop + clientHeight >= scrollHeight - 4;
    this.#render();
  }

  #onResize() {
    this.#rowHeight = 0;
    this.#render();
  }

  #measure() {
    const row = el('div', { class: 'row' }, '0');
    this.space.append(row);
    this.#rowHeight = row.getBoundingClientRect().height;
    row.remove();
  }

  #render() {
    if (this.#rowHeight === 0) this.#measure();
    if (this.#rowHeight === 0) return;
    const list = this.element;
    this.space.style.height = `${this.#items.length * this.#rowHeight}px`;
    if (this.#follows) list.scrollTop = list.scrollHeight;
    const first = Math.max(0, Math.floor(list.scrollTop / this.#rowHeight) - MARGIN);
    const count = Math.ceil(list.clientHeight / this.#rowHeight) + 2 * MARGIN;
    const visible = this.#items.slice(first, first + count);
    const wanted = new Set(visible.map((item) => item.n));
    for (const [n, row] of this.#rows) {
      if (wanted.has(n)) continue;
      row.remove();
      this.#rows.delete(n);
    }
    let next = this.space.firstChild;
    visible.forEach((item, i) => {
      const row = this.#place(item, first + i);
      if (row === next) next = next.nextSibling;
      else this.space.insertBefore(row, next);
    });
    const active = this.#selected === null ? undefined : this.#rows.get(this.#selected.n);
    if (active === undefined) list.removeAttribute('aria-activedescendant');
    else list.setAttribute('aria-activedescendant', active.id);
  }

  #place(item, index) {
    let row = this.#rows.get(item.n);
    if (row === undefined) {
      row = el(
        'div',
        {
          class: item.note === undefined ? 'row' : 'row note',
          role: 'option',
          id: `row-${item.n}`,
          onclick: () => this.select(item),
        },
        this.#renderRow(item),
      );
      this.#rows.set(item.n, row);
    }
    row.style.transform = `translateY(${index * this.#rowHeight}px)`;
    row.setAttribute('aria-selected', String(item === this.#selected));
    row.setAttribute('aria-setsize', String(this.#items.length));
    row.setAttribute('aria-posinset', String(index + 1));
    return row;
  }

  #reveal(index) {
    if (index < 0) return this.#render();
    const list = this.element;
    const top = index * this.#rowHeight;
    const isAbove = top < list.scrollTop;
    const isBelow = top + this.#rowHeight > list.scrollTop + list.clientHeight;
    this.#follows = index === this.#items.length - 1;
    if (isAbove) list.scrollTop = top;
    else if (isBelow) list.scrollTop = top + this.#rowHeight - list.clientHeight;
    this.#render();
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#items.length === 0) return;
    const last = this.#items.length - 1;
    const at = this.#items.indexOf(this.#selected);
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#rowHeight) - 1);
    const target = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? last : at - 1,
      PageDown: at + page,
      PageUp: at < 0 ? last : at - page,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === 'Enter' && this.#selected !== null) this.#onOpen(this.#selected);
    else if (target !== undefined) this.select(this.#items[Math.min(Math.max(target, 0), last)]);
    else return;
    event.preventDefault();
  }
}
