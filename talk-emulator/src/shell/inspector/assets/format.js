// Formats of times, sizes and identifiers.

const pad = (number, length = 2) => String(number).padStart(length, '0');

/** Returns the local time of day with milliseconds: `14:05:09.120`. */
export function timeOfDay(ms) {
  const date = new Date(ms);
  const seconds = `${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${seconds}`;
}

/** Returns the local date and time to the second. An absent time is a dash. */
export function dateTime(ms) {
  if (ms === null || ms === undefined) return '–';
  const date = new Date(ms);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${timeOfDay(ms).slice(0, 8)}`;
}

/** Returns a size: `512 B`, `1.5 KiB`. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Returns a path of percent-encoded segments: `path('rest', app, 'users', id)`. */
export const path = (...segments) => segments.map(encodeURIComponent).join('/');

/**
 * Returns text that cannot change the direction of the text around it, for places without elements. In
 * elements, `<bdi>` has this effect.
 */
export const isolate = (text) => `\u2068${text}\u2069`;

/** Returns JSON on several lines. Text that is not JSON is returned unchanged. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
