// The shell command of a request.

/** A request body above this length is replaced by a file in the command. */
const MAX_BODY = 8192;

/** Quotes a string for a POSIX shell. */
export function quote(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Returns the `curl` command of a request. `body` is the JSON text; `file` is the name of the file that
 * holds a long one, and `output` the name of the file for the answer. With `withToken`, the command reads
 * the control token from the environment.
 */
export function curlCommand({ method, url, body, file, output, withToken }) {
  const parts = ['curl', '-sS'];
  const implied = body === undefined ? 'GET' : 'POST';
  if (method !== implied) parts.push('-X', method);
  parts.push(quote(url));
  if (withToken) parts.push('-H', '"Authorization: Bearer $TOKEN"');
  if (body !== undefined) {
    parts.push('-H', quote('Content-Type: application/json'));
    const isLong = body.length > MAX_BODY;
    parts.push(isLong ? '--data-binary' : '-d', quote(isLong ? `@${file ?? 'body.json'}` : body));
  }
  if (output !== undefined) parts.push('-o', quote(output));
  return parts.join(' ');
}
