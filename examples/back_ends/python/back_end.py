"""The back end of a shop: a conversation for each order."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, urlencode

IMPORT_CHUNK = 100
PAGE = 100


class RefusedError(Exception):
    """An answer of the service other than 2xx."""

    def __init__(self, status, body):
        super().__init__(f"the service answered {status}: {body}")
        self.status = status


class BackEnd:
    def __init__(self, api, app_id, secret_key):
        """`api` is the address of the service, such as https://api.talkjs.com/v1."""
        self.base = f"{api}/{app_id}"
        self.app_id = app_id
        self.secret_key = secret_key.encode()
        self.handled = set()

    def call(self, method, path, body=None):
        """Sends a request. A token expires after 30 seconds, so that each request has its own."""
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token()}",
                "Content-Type": "application/json",
                "TalkJS-REST-Version": "2024-01-01",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(error.code, error.read().decode()) from None

    def token(self):
        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        claims = {"tokenType": "app", "iss": self.app_id, "exp": int(time.time()) + 30}
        parts = [{"alg": "HS256", "typ": "JWT"}, claims]
        signed = b".".join(encode(json.dumps(part).encode()) for part in parts)
        signature = hmac.digest(self.secret_key, signed, hashlib.sha256)
        return (signed + b"." + encode(signature)).decode()

    def open_order(self, order, buyer, seller):
        """Creates the users and the conversation of an order. Calling it again changes nothing."""
        users = {
            buyer["id"]: {"name": buyer["name"], "email": [buyer["email"]], "role": "buyer"},
            seller["id"]: {"name": seller["name"], "role": "seller"},
        }
        self.call("PUT", "/users", users)
        conversation = {
            "participants": [buyer["id"], seller["id"]],
            "subject": f"Order {order}",
            "custom": {"state": "open"},
        }
        self.call("PUT", f"/conversations/{quote(order, safe='')}", conversation)

    def payment_received(self, order):
        """Posts a notice. The key makes it safe to call it again after a lost answer."""
        message = {
            "type": "SystemMessage",
            "text": "*Payment received*",
            "idempotencyKey": f"payment-{order}",
        }
        path = f"/conversations/{quote(order, safe='')}/messages"
        return self.call("POST", path, [message])[0]["id"]

    def import_history(self, order, messages):
        """Imports messages of an older system: sender, text and createdAt, oldest first."""
        path = f"/import/conversations/{quote(order, safe='')}/messages"
        for start in range(0, len(messages), IMPORT_CHUNK):
            chunk = messages[start : start + IMPORT_CHUNK]
            self.call("POST", path, [{"type": "UserMessage", **message} for message in chunk])

    def history(self, order):
        """Returns all messages of an order, newest first."""
        messages = []
        while True:
            query = {"limit": PAGE}
            if messages:
                query["startingAfter"] = messages[-1]["id"]
            path = f"/conversations/{quote(order, safe='')}/messages?{urlencode(query)}"
            page = self.call("GET", path)["data"]
            messages += page
            if len(page) < PAGE:
                return messages

    def is_signed(self, headers, body):
        """Returns True if the body was signed with the secret key."""
        timestamp = headers.get("X-TalkJS-Timestamp", "")
        received = headers.get("X-TalkJS-Signature", "").lower()
        signed = timestamp.encode() + b"." + body
        expected = hmac.new(self.secret_key, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(received.encode(), expected.encode())

    def receive(self, headers, body):
        """Handles a webhook once, and returns the status to answer."""
        if not self.is_signed(headers, body):
            return 401
        webhook = json.loads(body)
        if webhook["id"] in self.handled:
            return 200
        data = webhook["data"]
        is_message = webhook["type"] == "message.sent"
        if is_message and (data.get("sender") or {}).get("role") == "buyer":
            custom = {"state": "waiting", "lastQuestion": data["message"]["id"]}
            conversation = quote(data["conversation"]["id"], safe="")
            self.call("PUT", f"/conversations/{conversation}", {"custom": custom})
        self.handled.add(webhook["id"])
        return 200

    def server(self, port=0):
        """Returns the receiver of webhooks, which `serve_forever` starts."""
        back_end = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    status = back_end.receive(self.headers, body)
                except Exception as error:
                    self.log_error("%s", error)
                    # The service sends the webhook once more.
                    status = 500
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
