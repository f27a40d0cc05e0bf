// Requests as a browser can send them.

const isDot = (segment) => segment === '.' || segment === '..';

/**
 * Returns the request to send for a request of the page: `{ method, path, text, unwrap }`. Browsers remove
 * the segments `.` and `..` from a path, also if they are percent-encoded, so that a request for the user
 * `..` would change something else. In the REST API, such a request becomes an operation of a batch, whose
 * answer `unwrap` reads. Other requests have no such form and are refused, as are those with an empty
 * segment.
 */
export function sendable(method, path, text) {
  const [address, query = ''] = path.split('?');
  const segments = address.split('/');
  if (segments.includes('')) throw new Error('The name or the ID is empty.');
  if (!segments.some(isDot)) return { method, path, text, unwrap: (answer) => answer };
  const [kind, app, ...rest] = segments;
  if (kind !== 'rest' || isDot(app)) {
    const names = segments.filter(isDot).join(' and ');
    throw new Error(`A browser cannot send a request for the name ${names}. Use another name.`);
  }
  const payload =
    method === 'GET' ? Object.fromEntries(new URLSearchParams(query)) : JSON.parse(text ?? '{}');
  return inBatch(app, method, rest, payload);
}

/** Returns the request of a batch with one operation. `app` is percent-encoded, as are the segments. */
export const inBatch = (app, method, segments, payload = {}) => ({
  method: 'POST',
  path: `rest/${app}/batch`,
  text: JSON.stringify([[1, method, `/${segments.join('/')}`, payload]]),
  unwrap: (answer) => (answer.ok ? operationOf(answer) : answer),
});

function operationOf({ text, data: [[, status, data]] }) {
  return { status, text, data, ok: status >= 200 && status < 300 };
}
