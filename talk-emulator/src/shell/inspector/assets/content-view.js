// The content of a message.
import { el } from './dom.js';
import { size } from './format.js';

const TAGS = {
  bold: 'strong',
  italic: 'em',
  strikethrough: 'del',
  bulletlist: 'ul',
  bulletpoint: 'li',
};

function link(url, ...children) {
  if (!/^(https?|mailto|tel):/.test(url ?? '')) return children;
  return el('a', { href: url, rel: 'noreferrer', target: '_blank' }, ...children);
}

function node(it) {
  if (typeof it === 'string') return it;
  const type = String(it.type).toLowerCase();
  if (type in TAGS) return el(TAGS[type], {}, nodes(it.children));
  if (type === 'link') return link(it.url, nodes(it.children));
  if (type === 'autolink') return link(it.url, it.text);
  if (type === 'codespan') return el('code', {}, it.text);
  if (type === 'mention') return el('strong', {}, `@${it.text}`);
  if (it.text !== undefined) return it.text;
  return nodes(it.children);
}

const nodes = (children) => (children ?? []).map(node);

function block(it) {
  if (it.type === 'text') return el('div', {}, nodes(it.children));
  if (it.type === 'location') return el('div', {}, `Location ${it.latitude}, ${it.longitude}`);
  if (it.type === 'file') {
    return el('div', {}, link(it.url, it.filename), ` (${size(it.size ?? 0)})`);
  }
  return el('div', {}, `(${it.type})`);
}

/** Creates the elements of a content. Unknown blocks and nodes show their type or their text. */
export const contentView = (content) => (content ?? []).map(block);

/** Returns the content without markup. */
export function plainText(content) {
  const view = el('div', {}, contentView(content));
  return view.textContent;
}
