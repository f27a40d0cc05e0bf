// Elements of the page. Data becomes text nodes, never markup.

/**
 * Creates an element. Attributes that are `false`, `null` or `undefined` are left out; functions are
 * event listeners: `el('button', { type: 'button', onclick: save }, 'Save')`.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/**
 * Replaces the children of an element that shows data of the emulator. The focused control and open
 * details keep their state if they have the same `data-key` as before.
 */
export function refill(element, ...children) {
  const focused = element.contains(document.activeElement)
    ? document.activeElement.dataset.key
    : undefined;
  const keys = (selector) => [...element.querySelectorAll(selector)].map((it) => it.dataset.key);
  const open = new Set(keys('details[open][data-key]'));
  fill(element, ...children);
  for (const it of element.querySelectorAll('[data-key]')) {
    if (it.tagName === 'DETAILS' && open.has(it.dataset.key)) it.open = true;
    if (focused !== undefined && it.dataset.key === focused) it.focus({ preventScroll: true });
  }
  focusAwaited(element);
  return element;
}

/** The `data-key` of the control to focus as soon as the page shows it. */
let awaited = null;

/**
 * Returns a function that returns the focus, if nothing has it, to an element. If the element was replaced
 * or removed meanwhile, the focus goes to the element with its `data-key`, or to the area around it.
 */
export function rememberFocus(element) {
  const { key } = element.dataset;
  const areas = [];
  for (let it = element.parentElement; it !== null; it = it.parentElement) {
    if (it.hasAttribute('tabindex')) areas.push(it);
  }
  return () => {
    if (document.activeElement !== document.body) return;
    const replacement = element.isConnected ? element : findByKey(key);
    const target = replacement ?? areas.find((it) => it.isConnected);
    target?.focus({ preventScroll: true });
  };
}

const findByKey = (key) =>
  key === undefined ? null : document.querySelector(`[data-key="${CSS.escape(key)}"]`);

/** Keeps the focus of an area whose content is replaced, and later gives it to the same control. */
export function keepFocus(area, replace) {
  const { activeElement } = document;
  const hadFocus = area.contains(activeElement);
  awaited = hadFocus ? (activeElement.dataset.key ?? null) : null;
  replace();
  if (hadFocus) area.focus({ preventScroll: true });
}

function focusAwaited(element) {
  const { activeElement } = document;
  if (awaited === null || activeElement?.id !== 'page') return;
  const control = element.querySelector(`[data-key="${CSS.escape(awaited)}"]`);
  if (control === null) return;
  awaited = null;
  control.focus({ preventScroll: true });
}

/** Creates a name or an ID inside other text. Its characters do not change the direction of that text. */
export const bdi = (text) => el('bdi', {}, text);

/** Creates the items of a list with commas between them. */
export const bdiList = (texts) =>
  texts.flatMap((text, i) => (i === 0 ? bdi(text) : [', ', bdi(text)]));

let labels = 0;

/** Creates a label above a control, and a hint below it. */
export function labelled(label, control, hint) {
  labels += 1;
  control.id ||= `control-${labels}`;
  const note = hint === undefined ? null : el('small', { id: `${control.id}-hint` }, hint);
  if (note !== null) control.setAttribute('aria-describedby', note.id);
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control, note);
}

/** Creates a button. */
export function button(label, onclick, attributes = {}) {
  return el('button', { type: 'button', onclick, ...attributes }, label);
}

/** Creates a button of an item in a list. Its accessible name is the label and the name of the item. */
export function itemButton(label, item, onclick, attributes = {}) {
  const name = `${label} ${item}`;
  return button(label, onclick, { 'aria-label': name, 'data-key': name, ...attributes });
}

/** Creates a table. Cells are strings or nodes. Without rows, the text `empty` replaces it. */
export function table(caption, columns, rows, empty) {
  if (rows.length === 0) return el('p', { class: 'empty' }, empty);
  const head = columns.map((column) => el('th', { scope: 'col' }, column));
  const body = rows.map((cells) =>
    el(
      'tr',
      {},
      cells.map((cell, i) => el('td', { 'data-label': columns[i] || false }, cell)),
    ),
  );
  return el(
    'table',
    {},
    el('caption', { class: 'hidden' }, caption),
    el('thead', {}, el('tr', {}, head)),
    el('tbody', {}, body),
  );
}
