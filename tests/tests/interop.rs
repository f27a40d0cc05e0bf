//! Calls of the whole API of the published client, with the emulator as its server.

use std::time::Duration;

use anyhow::{Context, Error, Result};
use serde_json::{Value, json};
use talk_emulator::Emulator;
use talk_tests::{Driver, Peer};
use tokio::time::timeout;

/// The time limit of a script. Some checks wait for typing to expire and for idle connections to
/// close.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn published_client_api_is_complete() -> Result<()> {
    run_checks(&[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn published_client_works_with_secret() -> Result<()> {
    run_checks(&["secret"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn published_client_respects_permissions() -> Result<()> {
    run_checks(&["switches"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn published_client_reconnects_after_loss() -> Result<()> {
    let Some(peer) = Peer::install()? else {
        return Ok(());
    };
    let emulator = Emulator::start().await?;
    let talk = async {
        let (mut alice, mut bob, messages) = meet(&peer, &emulator).await?;
        // If its connection is cut during a call, the published client only reconnects at the next
        // call, unless a subscription is active.
        let conversation = alice
            .subscribe("conversation.subscribe", json!(["c"]))
            .await?;
        alice
            .until(conversation, |line| line["snapshot"].is_object())
            .await?;
        emulator.drop_connections().await?;
        emulator.refuse_connections(true);
        let sent = alice
            .start("conversation.send", json!(["c", "Still there?"]))
            .await?;
        emulator.refuse_connections(false);
        alice.answer(sent).await?.map_err(Error::msg)?;
        bob.until(messages, |line| {
            line["snapshot"][0]["plaintext"] == "Still there?"
        })
        .await?;
        Ok(())
    };
    timeout(PATIENCE, talk).await.context("no answer")?
}

/// Starts sessions of two participants of the conversation `c`. Returns them with a subscription of
/// the second one to the messages.
async fn meet(peer: &Peer, emulator: &Emulator) -> Result<(Driver, Driver, u64)> {
    let mut alice = peer.drive(emulator.host(), "app", "alice")?;
    let mut bob = peer.drive(emulator.host(), "app", "bob")?;
    join(&mut alice, "alice").await?;
    join(&mut bob, "bob").await?;
    let messages = bob
        .subscribe("conversation.subscribeMessages", json!(["c"]))
        .await?;
    // The published client loses an event that arrives together with the first page.
    bob.until(messages, |line| line["snapshot"] == json!([]))
        .await?;
    Ok((alice, bob, messages))
}

/// Creates a user and adds them to the conversation `c`.
async fn join(driver: &mut Driver, id: &str) -> Result<()> {
    let made = driver
        .call("user.createIfNotExists", json!([id, { "name": id }]))
        .await?;
    assert_eq!(made, Ok(Value::Null));
    let joined = driver
        .call("conversation.createIfNotExists", json!(["c"]))
        .await?;
    assert_eq!(joined, Ok(Value::Null));
    Ok(())
}

/// Runs groups of checks. Without names, runs all that can share an emulator.
async fn run_checks(groups: &[&str]) -> Result<()> {
    let Some(peer) = Peer::install()? else {
        return Ok(());
    };
    let emulator = Emulator::start().await?;
    let mut script = peer.script("run-checks.mjs");
    script.arg(emulator.host()).args(groups);
    talk_tests::run_checks(script, PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn published_client_runs_commands_by_line() -> Result<()> {
    let Some(peer) = Peer::install()? else {
        return Ok(());
    };
    let emulator = Emulator::start().await?;
    let talk = async {
        let (mut alice, mut bob, messages) = meet(&peer, &emulator).await?;
        let sent = alice
            .call("conversation.send", json!(["c", "Hello *Bob*"]))
            .await?
            .map_err(Error::msg)?;
        let seen = bob
            .until(messages, |line| line["snapshot"][0]["id"].is_string())
            .await?;
        assert_eq!(seen["snapshot"][0]["id"], sent["messageRef"]);
        assert_eq!(seen["snapshot"][0]["plaintext"], "Hello Bob");

        let refused = bob
            .call("conversation.markAsRead", json!(["nowhere"]))
            .await?
            .unwrap_err();
        assert_eq!(refused["status"], 404);
        assert_eq!(refused["errorCode"], "CONVERSATION_NOT_FOUND");
        let misused = bob.call("user.get", json!([""])).await?.unwrap_err();
        assert_eq!(misused["kind"], "usage");
        let unknown = bob.call("user.fly", json!([])).await?.unwrap_err();
        assert_eq!(unknown["kind"], "usage");
        Ok(())
    };
    timeout(PATIENCE, talk).await.context("no answer")?
}
