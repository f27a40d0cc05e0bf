// The back end of a shop: a conversation for each order.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const IMPORT_CHUNK = 100;
const PAGE = 100;

/** An answer of the service other than 2xx. */
export class RefusedError extends Error {
  constructor(status, body) {
    super(`the service answered ${status}: ${body}`);
    this.status = status;
  }
}

export class BackEnd {
  /** `api` is the address of the service, such as https://api.talkjs.com/v1. */
  constructor({ api, appId, secretKey }) {
    this.base = `${api}/${appId}`;
    this.appId = appId;
    this.secretKey = secretKey;
    this.handled = new Set();
  }

  /** Sends a request. A token expires after 30 seconds, so that each request has its own. */
  async call(method, path, body) {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.token()}`,
        "Content-Type": "application/json",
        "TalkJS-REST-Version": "2024-01-01",
      },
      body: method === "GET" || body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new RefusedError(response.status, text);
    return text === "" ? {} : JSON.parse(text);
  }

  token() {
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 30;
    const claims = { tokenType: "app", iss: this.appId, exp };
    const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
    const signature = createHmac("sha256", this.secretKey).update(signed).digest("base64url");
    return `${signed}.${signature}`;
  }

  /** Creates the users and the conversation of an order. Calling it again changes nothing. */
  async openOrder(order, buyer, seller) {
    await this.call("PUT", "/users", {
      [buyer.id]: { name: buyer.name, email: [buyer.email], role: "buyer" },
      [seller.id]: { name: seller.name, role: "seller" },
    });
    await this.call("PUT", `/conversations/${encodeURIComponent(order)}`, {
      participants: [buyer.id, seller.id],
      subject: `Order ${order}`,
      custom: { state: "open" },
    });
  }

  /** Posts a notice. The key makes it safe to call it again after a lost answer. */
  async paymentReceived(order) {
    const path = `/conversations/${encodeURIComponent(order)}/messages`;
    const message = { type: "SystemMessage", text: "*Payment received*" };
    const idempotencyKey = `payment-${order}`;
    const [sent] = await this.call("POST", path, [{ ...message, idempotencyKey }]);
    return sent.id;
  }

  /** Imports messages of an older system: `{sender, text, createdAt}`, oldest first. */
  async importHistory(order, messages) {
    const path = `/import/conversations/${encodeURIComponent(order)}/messages`;
    for (let start = 0; start < messages.length; start += IMPORT_CHUNK) {
      const chunk = messages.slice(start, start + IMPORT_CHUNK);
      await this.call("POST", path, chunk.map((it) => ({ type: "UserMessage", ...it })));
    }
  }

  /** Returns all messages of an order, newest first. */
  async history(order) {
    const path = `/conversations/${encodeURIComponent(order)}/messages?limit=${PAGE}`;
    const messages = [];
    for (;;) {
      const last = messages.at(-1);
      const after = last ? `&startingAfter=${encodeURIComponent(last.id)}` : "";
      const { data } = await this.call("GET", path + after);
      messages.push(...data);
      if (data.length < PAGE) return messages;
    }
  }

  /** Returns `true` if the body was signed with the secret key. */
  isSigned(headers, body) {
    const timestamp = headers["x-talkjs-timestamp"] ?? "";
    const received = Buffer.from(headers["x-talkjs-signature"] ?? "", "hex");
    const hmac = createHmac("sha256", this.secretKey).update(`${timestamp}.`).update(body);
    const expected = hmac.digest();
    return received.length === expected.length && timingSafeEqual(received, expected);
  }

  /** Handles a webhook once, and returns the status to answer. */
  async receive(headers, body) {
    if (!this.isSigned(headers, body)) return 401;
    const { id, type, data } = JSON.parse(body);
    if (this.handled.has(id)) return 200;
    if (type === "message.sent" && data.sender?.role === "buyer") {
      const conversation = encodeURIComponent(data.conversation.id);
      const custom = { state: "waiting", lastQuestion: data.message.id };
      await this.call("PUT", `/conversations/${conversation}`, { custom });
    }
    this.handled.add(id);
    return 200;
  }

  /** Starts the receiver of webhooks, and returns its server. */
  async listen(port = 0) {
    const server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      try {
        response.statusCode = await this.receive(request.headers, Buffer.concat(chunks));
      } catch (error) {
        console.error(error);
        // The service sends the webhook once more.
        response.statusCode = 500;
      }
      response.end();
    });
    await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
    return server;
  }
}
