"""Tests of the back end with an emulator at TALK_EMULATOR."""

import json
import os
import threading
import time
import unittest
import urllib.error
import urllib.request
from unittest import mock

from back_end import BackEnd, RefusedError

EMULATOR = os.environ.get("TALK_EMULATOR", "http://127.0.0.1:4000")
APP = "python_shop"
KEY = "sk_test_python"
ALICE = {"id": "alice", "name": "Alice", "email": "alice@example.com"}
BOB = {"id": "bob", "name": "Bob"}


def control(method, path, body=None):
    """Sends a request to the control API of the emulator."""
    request = urllib.request.Request(
        f"{EMULATOR}/_emulator{path}",
        method=method,
        data=None if method == "GET" else json.dumps(body or {}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read() or b"{}")


def delivered(kind):
    """Waits until a webhook of the app was delivered, and returns it."""
    wait = {
        "for": "webhook",
        "app": APP,
        "match": {"type": kind, "state": "delivered"},
        "timeoutMs": 30_000,
    }
    return control("POST", "/wait", wait)["found"]


def webhook(kind, is_wanted):
    """Waits for a webhook of the app with the wanted attempts, and returns it."""
    for _ in range(500):
        for found in control("GET", f"/webhooks?app={APP}&type={kind}")["data"]:
            if is_wanted(found):
                return found
        time.sleep(0.02)
    raise AssertionError(f"no {kind}: {control('GET', '/webhooks')}")


class BackEndTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.back_end = BackEnd(f"{EMULATOR}/v1", APP, KEY)
        cls.server = cls.back_end.server()
        cls.hooks = f"http://127.0.0.1:{cls.server.server_port}/hooks"
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        control("POST", "/settings", {"secret": KEY, "webhooks": {"url": cls.hooks}})

    @classmethod
    def tearDownClass(cls):
        control("POST", "/settings", {"secret": None, "webhooks": None})
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.back_end.handled.clear()
        control("POST", "/reset")
        self.back_end.open_order("1", ALICE, BOB)

    def ask(self, text):
        message = {"type": "UserMessage", "sender": "alice", "text": text}
        return self.back_end.call("POST", "/conversations/1/messages", [message])[0]["id"]

    def conversation(self):
        return self.back_end.call("GET", "/conversations/1")

    def test_order_has_users_and_conversation(self):
        self.back_end.open_order("1", ALICE, BOB)
        order = self.conversation()
        self.assertEqual(order["subject"], "Order 1")
        self.assertEqual(list(order["participants"]), ["alice", "bob"])
        user = self.back_end.call("GET", "/users/alice")
        self.assertEqual(user["email"], ["alice@example.com"])

    def test_payment_is_announced_once(self):
        sent = self.back_end.payment_received("1")
        self.assertEqual(self.back_end.payment_received("1"), sent)
        messages = self.back_end.history("1")
        self.assertEqual([it["type"] for it in messages], ["SystemMessage"])
        self.assertIsNone(messages[0]["senderId"])

    def test_history_is_imported_and_read_in_pages(self):
        start = 1_577_836_800_000
        old = [
            {
                "sender": "bob" if i % 2 else "alice",
                "text": f"message {i}",
                "createdAt": start + i // 2,
            }
            for i in range(250)
        ]
        self.back_end.import_history("1", old)
        texts = [it["text"] for it in self.back_end.history("1")]
        self.assertEqual(texts, [it["text"] for it in reversed(old)])

    def test_question_of_buyer_changes_order(self):
        message = self.ask("Where is it?")
        delivered("message.sent")
        custom = self.conversation()["custom"]
        self.assertEqual(custom, {"state": "waiting", "lastQuestion": message})

    def test_repeated_webhook_is_handled_once(self):
        self.ask("Where is it?")
        found = delivered("message.sent")
        self.back_end.call("PUT", "/conversations/1", {"custom": {"state": "open"}})
        control("POST", f"/webhooks/{found['id']}/resend")
        webhook("message.sent", lambda it: [200, 200] == [a["status"] for a in it["attempts"]])
        self.assertEqual(self.conversation()["custom"]["state"], "open")

    def test_forged_webhook_is_refused(self):
        body = json.dumps({"id": "evt_1", "type": "message.sent", "data": {}}).encode()
        for signature in ["", "zz", "00" * 32]:
            headers = {"X-TalkJS-Timestamp": "1767225600000", "X-TalkJS-Signature": signature}
            request = urllib.request.Request(self.hooks, data=body, headers=headers)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=30)
            with refused.exception as error:
                self.assertEqual(error.code, 401)
        self.assertNotIn("evt_1", self.back_end.handled)

    def test_failed_webhook_is_sent_again_after_a_second(self):
        with mock.patch.object(self.back_end, "receive", side_effect=OSError), mock.patch(
            "sys.stderr"
        ):
            self.ask("Where is it?")
            webhook("message.sent", lambda it: [500] == [a["status"] for a in it["attempts"]])
        # The test does not wait: the emulator's clock advances.
        control("POST", "/clock", {"advanceMs": 1000})
        delivered("message.sent")
        self.assertEqual(self.conversation()["custom"]["state"], "waiting")

    def test_snapshot_returns_to_earlier_data(self):
        control("POST", "/snapshots/opened/save")
        self.back_end.call("DELETE", "/conversations/1")
        with self.assertRaises(RefusedError) as refused:
            self.conversation()
        self.assertEqual(refused.exception.status, 404)
        control("POST", "/snapshots/opened/restore")
        self.assertEqual(self.conversation()["subject"], "Order 1")

    def test_wrong_key_is_refused(self):
        other = BackEnd(f"{EMULATOR}/v1", APP, "sk_test_other")
        with self.assertRaises(RefusedError) as refused:
            other.payment_received("1")
        self.assertEqual(refused.exception.status, 401)


if __name__ == "__main__":
    unittest.main()
