// Differences between the values of a form.

const isEqual = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Returns the changed members. A member that became empty is null, which resets it. */
export function changes(before, after) {
  const patch = {};
  for (const [name, value] of Object.entries(after)) {
    const old = before[name] ?? undefined;
    if (name === 'custom') {
      const custom = customChanges(old ?? {}, value ?? {});
      if (Object.keys(custom).length > 0) patch.custom = custom;
    } else if (!isEqual(old, value)) {
      patch[name] = value ?? null;
    }
  }
  return patch;
}

function customChanges(before, after) {
  const patch = {};
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (before[key] !== value) patch[key] = value;
  }
  return patch;
}

/** Returns the members that have a value. */
export const given = (values) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Returns a list from lines or commas, or `undefined` if it is empty. */
export function list(text) {
  const items = (text ?? '').split(/[,\n]/).map((item) => item.trim());
  const found = items.filter((item) => item !== '');
  return found.length === 0 ? undefined : found;
}

/** Returns custom data as the text of a form, which is empty without members. */
export const customText = (custom) =>
  Object.keys(custom ?? {}).length === 0 ? '' : JSON.stringify(custom, null, 2);
