// The shell command of a request.

/** A body above this length is not an argument of the command, because systems limit arguments. */
const MAX_BODY = 8192;

/** The line after a body on the standard input. A body of the page has one line of JSON. */
const END = 'END_OF_BODY';

/** Quotes a string for a POSIX shell. */
export function quote(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Returns the `curl` command of a request. `body` is the JSON text; `file` is the name of the file that
 * holds a long one, and without a file the command contains it. `output` is the name of the file for the
 * answer. With `withToken`, the command reads the control token from the environment.
 */
export function curlCommand({ method, url, body, file, output, withToken }) {
  const parts = ['curl', '-sS'];
  const implied = body === undefined ? 'GET' : 'POST';
  if (method !== implied) parts.push('-X', method);
  parts.push(quote(url));
  if (withToken) parts.push('-H', '"Authorization: Bearer $TOKEN"');
  const isLong = body?.length > MAX_BODY;
  if (body !== undefined) {
    parts.push('-H', quote('Content-Type: application/json'));
    parts.push(isLong ? '--data-binary' : '-d', quote(isLong ? `@${file ?? '-'}` : body));
  }
  if (output !== undefined) parts.push('-o', quote(output));
  if (isLong && file === undefined) parts.push(`<<'${END}'\n${body}\n${END}`);
  return parts.join(' ');
}
