// JSON with colours.
import { el } from './dom.js';
import { pretty } from './format.js';

/** Longer text has no colours, because each token is an element. */
const MAX_COLOURED = 40_000;

const TOKEN =
  /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Creates the indented form of JSON text. Text that is not JSON is shown unchanged. */
export function jsonView(text, label) {
  const code = el('code', {});
  const json = pretty(text);
  if (json === text || json.length > MAX_COLOURED) code.append(json);
  else colour(code, json);
  return el('pre', { class: 'json', tabindex: '0', 'aria-label': label }, code);
}

function colour(code, json) {
  let end = 0;
  for (const match of json.matchAll(TOKEN)) {
    const [token, string, colon, literal] = match;
    code.append(json.slice(end, match.index));
    const kind =
      string === undefined
        ? literal === undefined
          ? 'number'
          : 'literal'
        : colon === undefined
          ? 'string'
          : 'key';
    code.append(el('span', { class: `json-${kind}` }, string ?? token), colon ?? '');
    end = match.index + token.length;
  }
  code.append(json.slice(end));
}
