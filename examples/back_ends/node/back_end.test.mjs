// Tests of the back end with an emulator at TALK_EMULATOR.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { BackEnd, RefusedError } from "./back_end.mjs";

const emulator = process.env.TALK_EMULATOR ?? "http://127.0.0.1:4000";
const appId = "node_shop";
const secretKey = "sk_test_node";
const alice = { id: "alice", name: "Alice", email: "alice@example.com" };
const bob = { id: "bob", name: "Bob" };

let backEnd;
let receiver;

/** Sends a request to the control API of the emulator. */
async function control(method, path, body) {
  const response = await fetch(`${emulator}/_emulator${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : JSON.parse(text);
}

/** Waits until a webhook of the app was delivered, and returns it. */
async function delivered(type) {
  const match = { type, state: "delivered" };
  const { found } = await control("POST", "/wait", {
    for: "webhook",
    app: appId,
    match,
    timeoutMs: 30_000,
  });
  return found;
}

/** Waits for a webhook of the app with the wanted attempts, and returns it. */
async function webhook(type, isWanted) {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const { data } = await control("GET", `/webhooks?app=${appId}&type=${type}`);
    const found = data.find(isWanted);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no ${type}: ${JSON.stringify(await control("GET", "/webhooks"))}`);
}

async function ask(text) {
  const message = { type: "UserMessage", sender: "alice", text };
  const [{ id }] = await backEnd.call("POST", "/conversations/1/messages", [message]);
  return id;
}

async function conversation() {
  return backEnd.call("GET", "/conversations/1");
}

before(async () => {
  backEnd = new BackEnd({ api: `${emulator}/v1`, appId, secretKey });
  receiver = await backEnd.listen();
  const url = `http://127.0.0.1:${receiver.address().port}/hooks`;
  await control("POST", "/settings", { secret: secretKey, webhooks: { url } });
});

after(async () => {
  await control("POST", "/settings", { secret: null, webhooks: null });
  receiver.close();
  receiver.closeAllConnections();
});

beforeEach(async () => {
  backEnd.handled.clear();
  await control("POST", "/reset");
  await backEnd.openOrder("1", alice, bob);
});

test("an order has its users and its conversation", async () => {
  await backEnd.openOrder("1", alice, bob);
  const order = await conversation();
  assert.equal(order.subject, "Order 1");
  assert.deepEqual(Object.keys(order.participants), ["alice", "bob"]);
  const user = await backEnd.call("GET", "/users/alice");
  assert.deepEqual(user.email, ["alice@example.com"]);
});

test("a payment is announced once", async () => {
  const id = await backEnd.paymentReceived("1");
  assert.equal(await backEnd.paymentReceived("1"), id);
  const messages = await backEnd.history("1");
  assert.deepEqual(messages.map((it) => it.type), ["SystemMessage"]);
  assert.equal(messages[0].senderId, null);
});

test("a history is imported and read in pages", async () => {
  const start = Date.UTC(2020, 0, 1);
  const old = Array.from({ length: 250 }, (_, i) => ({
    sender: i % 2 ? "bob" : "alice",
    text: `message ${i}`,
    createdAt: start + Math.floor(i / 2),
  }));
  await backEnd.importHistory("1", old);
  const texts = (await backEnd.history("1")).map((it) => it.text);
  assert.deepEqual(texts, old.map((it) => it.text).reverse());
});

test("a question of the buyer changes the order", async () => {
  const id = await ask("Where is it?");
  await delivered("message.sent");
  const { custom } = await conversation();
  assert.deepEqual(custom, { state: "waiting", lastQuestion: id });
});

test("a repeated webhook is handled once", async () => {
  await ask("Where is it?");
  const { id } = await delivered("message.sent");
  const open = { custom: { state: "open" } };
  await backEnd.call("PUT", "/conversations/1", open);
  await control("POST", `/webhooks/${id}/resend`);
  const isAnswered = (it) => it.attempts.length === 2 && it.state === "delivered";
  await webhook("message.sent", isAnswered);
  assert.equal((await conversation()).custom.state, "open");
});

test("a forged webhook is refused", async () => {
  const body = JSON.stringify({ id: "evt_1", type: "message.sent", data: {} });
  const url = `http://127.0.0.1:${receiver.address().port}/hooks`;
  for (const signature of ["", "zz", "00".repeat(32)]) {
    const headers = { "X-TalkJS-Timestamp": "1767225600000", "X-TalkJS-Signature": signature };
    const response = await fetch(url, { method: "POST", headers, body });
    assert.equal(response.status, 401);
  }
  assert.ok(!backEnd.handled.has("evt_1"));
});

test("a failed webhook is sent again after a second", async () => {
  const { call } = backEnd;
  backEnd.call = async () => {
    throw new Error("the database is down");
  };
  const { error } = console;
  console.error = () => {};
  try {
    await call.call(backEnd, "POST", "/conversations/1/messages", [
      { type: "UserMessage", sender: "alice", text: "Where is it?" },
    ]);
    await webhook("message.sent", (it) => it.attempts[0]?.status === 500);
  } finally {
    backEnd.call = call;
    console.error = error;
  }
  // The test does not wait: the emulator's clock advances.
  await control("POST", "/clock", { advanceMs: 1000 });
  await delivered("message.sent");
  assert.equal((await conversation()).custom.state, "waiting");
});

test("a snapshot returns to earlier data", async () => {
  await control("POST", "/snapshots/opened/save");
  await backEnd.call("DELETE", "/conversations/1");
  await assert.rejects(conversation(), (error) => error.status === 404);
  await control("POST", "/snapshots/opened/restore");
  assert.equal((await conversation()).subject, "Order 1");
});

test("a wrong key is refused", async () => {
  const other = new BackEnd({ api: `${emulator}/v1`, appId, secretKey: "sk_test_other" });
  const refused = (error) => error instanceof RefusedError && error.status === 401;
  await assert.rejects(other.paymentReceived("1"), refused);
});
