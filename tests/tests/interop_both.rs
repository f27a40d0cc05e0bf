//! A chat between the published client and ours through the emulator.

use std::time::Duration;

use anyhow::{Context, Error, Result};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use talk_emulator::Emulator;
use talk_tests::{Driver, Peer};
use talk_tokio::{ConversationRef, SendMessage, Subscription, TalkOptions, UserParams};
use tokio::time::timeout;

/// A generous time limit. The published client takes 15 s to detect a lost connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// Alice on our client and Bob on the published one, both in the conversation `c`.
struct Pair {
    emulator: Emulator,
    peer: Peer,
    conversation: ConversationRef,
    bob: Driver,
}

impl Pair {
    async fn meet(app: &str) -> Result<Option<Self>> {
        let Some(peer) = Peer::install()? else {
            return Ok(None);
        };
        let emulator = Emulator::start().await?;
        let options = TalkOptions::new(app, "alice")?.host(emulator.host());
        let alice = talk_tokio::get_talk_session(options)?;
        alice
            .current_user()
            .create_if_not_exists(UserParams::named("Alice"))
            .await?;
        let conversation = alice.conversation("c")?;
        conversation
            .create_if_not_exists(Default::default())
            .await?;

        let mut bob = peer.drive(emulator.host(), app, "bob")?;
        let calls = [
            ("user.createIfNotExists", json!(["bob", { "name": "Bob" }])),
            ("conversation.createIfNotExists", json!(["c"])),
        ];
        for (call, args) in calls {
            assert_eq!(bob.call(call, args).await?, Ok(Value::Null));
        }
        Ok(Some(Self {
            emulator,
            peer,
            conversation,
            bob,
        }))
    }

    /// Makes a call as Bob, which must succeed.
    async fn bob_calls(&mut self, call: &str, args: Value) -> Result<Value> {
        let answer = timeout(PATIENCE, self.bob.call(call, args)).await??;
        answer.map_err(Error::msg)
    }

    /// Waits until the snapshot of a subscription of Bob satisfies `holds`.
    async fn bob_sees(&mut self, number: u64, holds: impl Fn(&Value) -> bool) -> Result<Value> {
        let seen = self.bob.until(number, |line| holds(&line["snapshot"]));
        Ok(timeout(PATIENCE, seen)
            .await
            .context("Bob never saw it")??["snapshot"]
            .clone())
    }
}

/// Waits until the snapshot of a subscription of ours satisfies `holds`, and returns it in the
/// documented format.
async fn alice_sees<S: Clone + PartialEq + Serialize>(
    subscription: &mut Subscription<S>,
    holds: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let seeing = async {
        let mut latest = subscription.latest();
        loop {
            if let Some(snapshot) = latest {
                let snapshot = serde_json::to_value(&snapshot)?;
                if holds(&snapshot) {
                    return Ok(snapshot);
                }
            }
            let update = subscription.next().await;
            latest = Some(update.context("the subscription ended")?.snapshot);
        }
    };
    timeout(PATIENCE, seeing)
        .await
        .context("Alice never saw it")?
}

/// Returns the plaintexts of a list of messages, oldest first.
fn texts(messages: &Value) -> Vec<&str> {
    let list = messages.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .rev()
        .filter_map(|message| message["plaintext"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_clients_exchange_messages() -> Result<()> {
    let Some(mut pair) = Pair::meet("both-chat").await? else {
        return Ok(());
    };
    let c = pair.conversation.clone();
    let mut messages = c.subscribe_messages();
    let mut side = c.subscribe();
    let mut typing = c.subscribe_typing();
    let their_messages = pair
        .bob
        .subscribe("conversation.subscribeMessages", json!(["c"]))
        .await?;
    let their_side = pair
        .bob
        .subscribe("conversation.subscribe", json!(["c"]))
        .await?;
    let their_typing = pair
        .bob
        .subscribe("conversation.subscribeTyping", json!(["c"]))
        .await?;
    alice_sees(&mut typing, |typing| typing["many"] == false).await?;
    pair.bob_sees(their_typing, |typing| typing["many"] == false)
        .await?;

    c.mark_as_typing().await?;
    let seen = pair
        .bob_sees(their_typing, |typing| typing["users"][0].is_object())
        .await?;
    assert_eq!(seen["users"][0]["name"], "Alice");
    let hello = c.send("Hello *Bob*, see https://example.com").await?;
    pair.bob_sees(their_typing, |typing| typing["users"] == json!([]))
        .await?;
    let seen = pair
        .bob_sees(their_messages, |list| list[0]["id"].is_string())
        .await?;
    assert_eq!(seen[0]["plaintext"], "Hello Bob, see https://example.com");
    assert_eq!(
        seen[0]["content"][0]["children"][1],
        json!({ "type": "bold", "children": ["Bob"] })
    );

    pair.bob_calls("conversation.markAsTyping", json!(["c"]))
        .await?;
    alice_sees(&mut typing, |typing| typing["users"][0]["id"] == "bob").await?;
    let reply = json!({
        "text": "_Fine_, thanks",
        "custom": { "k": "v" },
        "referencedMessage": seen[0]["id"],
    });
    let sent = pair
        .bob_calls("conversation.send", json!(["c", reply]))
        .await?;
    let list = alice_sees(&mut messages, |list| list[0]["id"] == sent["messageRef"]).await?;
    assert_eq!(list[0]["plaintext"], "Fine, thanks");
    assert_eq!(list[0]["custom"], json!({ "k": "v" }));
    assert_eq!(list[0]["sender"]["name"], "Bob");
    assert_eq!(list[0]["referencedMessage"]["id"], list[1]["id"]);
    alice_sees(&mut typing, |typing| typing["users"] == json!([])).await?;

    alice_sees(&mut side, |side| side["unreadMessageCount"] == 1).await?;
    c.mark_as_read().await?;
    let read = alice_sees(&mut side, |side| side["isUnread"] == false).await?;
    pair.bob_sees(their_side, |side| {
        side["everyoneReadUntil"].as_u64() >= read["lastMessage"]["createdAt"].as_u64()
    })
    .await?;

    let reply = c.message(sent["messageRef"].as_str().context("an id")?)?;
    reply.reactions("👍")?.add().await?;
    let reaction = json!(["c", sent["messageRef"], "👍"]);
    pair.bob_calls("reactions.add", reaction).await?;
    alice_sees(&mut messages, |list| list[0]["reactions"][0]["count"] == 2).await?;
    let seen = pair
        .bob_sees(their_messages, |list| list[0]["reactions"][0]["count"] == 2)
        .await?;
    assert_eq!(seen[0]["reactions"][0]["currentUserReacted"], true);

    hello.edit("Hello again").await?;
    pair.bob_sees(their_messages, |list| {
        list[0]["referencedMessage"]["plaintext"] == "Hello again"
    })
    .await?;
    pair.bob_calls("user.set", json!(["bob", { "name": "Robert" }]))
        .await?;
    alice_sees(&mut messages, |list| list[0]["sender"]["name"] == "Robert").await?;
    c.send(SendMessage::text("bye").custom("last", "yes"))
        .await?;
    hello.delete().await?;
    let ours = alice_sees(&mut messages, |list| {
        texts(list) == ["Fine, thanks", "bye"] && list[1]["referencedMessage"].is_null()
    })
    .await?;

    assert_eq!(
        fresh_view(&pair, "both-chat", "conversation.subscribeMessages").await?,
        ours
    );
    let ours = alice_sees(&mut side, |side| side["lastMessage"]["plaintext"] == "bye").await?;
    assert_eq!(
        fresh_view(&pair, "both-chat", "conversation.subscribe").await?,
        ours
    );
    Ok(())
}

/// Returns the first snapshot of a fresh session of the published client, as Alice.
async fn fresh_view(pair: &Pair, app: &str, subscribe: &str) -> Result<Value> {
    let mut fresh = pair.peer.drive(pair.emulator.host(), app, "alice")?;
    let number = fresh.subscribe(subscribe, json!(["c"])).await?;
    let seen = fresh.until(number, |line| !line["snapshot"].is_null());
    Ok(timeout(PATIENCE, seen).await??["snapshot"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_lose_and_repeat_no_message() -> Result<()> {
    let Some(mut pair) = Pair::meet("both-cut").await? else {
        return Ok(());
    };
    let c = pair.conversation.clone();
    let mut messages = c.subscribe_messages();
    let their_messages = pair
        .bob
        .subscribe("conversation.subscribeMessages", json!(["c"]))
        .await?;
    pair.bob_sees(their_messages, |list| *list == json!([]))
        .await?;

    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for i in 0..12 {
        ours.push(c.send(format!("ours {i}")));
        let args = json!(["c", format!("theirs {i}")]);
        theirs.push(pair.bob.start("conversation.send", args).await?);
        if i % 4 == 1 {
            pair.emulator.drop_connections().await?;
        }
    }
    for sent in ours {
        timeout(PATIENCE, sent).await??;
    }
    for sent in theirs {
        let answer = timeout(PATIENCE, pair.bob.answer(sent)).await??;
        answer.map_err(Error::msg)?;
    }

    let complete = |list: &Value| texts(list).len() >= 24;
    let seen = alice_sees(&mut messages, complete).await?;
    for who in ["ours", "theirs"] {
        let sent: Vec<_> = (0..12).map(|i| format!("{who} {i}")).collect();
        let seen: Vec<_> = texts(&seen)
            .into_iter()
            .filter(|text| text.starts_with(who))
            .collect();
        assert_eq!(seen, sent);
    }
    let seen_by_bob = pair.bob_sees(their_messages, complete).await?;
    assert_eq!(texts(&seen_by_bob), texts(&seen));
    Ok(())
}
