//! The script of the demo. After each action of one user, the screen of the other one shows it.

use talk_tokio::{ConversationParams, ConversationSnapshot, Error, SendMessage, UserParams};

use super::stage::Stage;
use crate::exit::CliError;

/// Plays the script.
pub(crate) async fn play(stage: &mut Stage, url: &str) -> Result<(), CliError> {
    stage.narrate(&format!(
        "An emulator runs at {url}. Alice and Bob are connected to it, each with a session.\n\
         Every line below arrived live on the other screen.\n"
    ))?;
    set_up(stage).await?;
    ask(stage).await?;
    answer(stage).await?;
    correct(stage).await?;
    stage.narrate("\nThe demo has ended. Try `talk emulator` and `talk --help`.")?;
    Ok(())
}

/// Alice creates the conversation and invites Bob.
async fn set_up(stage: &mut Stage) -> Result<(), CliError> {
    let alice = stage.alice.session.current_user();
    alice.set(UserParams::named("Alice")).await?;
    let bob = stage.bob.session.current_user();
    bob.set(UserParams::named("Bob")).await?;

    let params = ConversationParams::default().subject("The weekend");
    stage.alice.talk.create_if_not_exists(params).await?;
    let participant = stage.alice.talk.participant(&bob).map_err(Error::from)?;
    participant.create_if_not_exists(Default::default()).await?;

    let shown = stage.bob.sees_conversation(|_| true).await?;
    let subject = shown.subject.as_deref().unwrap_or_default();
    stage
        .show(&stage.bob, &format!("You have been added to “{subject}”"))
        .await?;
    Ok(())
}

/// Alice types and asks, and Bob reads the question.
async fn ask(stage: &mut Stage) -> Result<(), CliError> {
    stage.alice.talk.mark_as_typing().await?;
    let typing = stage.bob.sees_typing().await?;
    stage.show_typing(&stage.bob, &typing).await?;

    let text = "Hi Bob! Is *Saturday* still on? The forecast: https://example.com/sky";
    let question = stage.alice.talk.send(text).await?;
    let shown = stage
        .bob
        .sees_message(|message| message.id == *question.id())
        .await?;
    stage.show_message(&stage.bob, &shown).await?;
    let sent_at = shown.created_at;

    let shown = stage.bob.sees_conversation(|shown| shown.is_unread).await?;
    let unread = shown.unread_message_count;
    stage
        .show(&stage.bob, &format!("({unread} unread message)"))
        .await?;

    stage.bob.talk.mark_as_read().await?;
    let is_read = |shown: &ConversationSnapshot| shown.everyone_read_until >= sent_at;
    stage.alice.sees_conversation(is_read).await?;
    stage.show(&stage.alice, "(read by everybody)").await?;
    Ok(())
}

/// Bob types and replies, and Alice reacts.
async fn answer(stage: &mut Stage) -> Result<(), CliError> {
    stage.bob.talk.mark_as_typing().await?;
    let typing = stage.alice.sees_typing().await?;
    stage.show_typing(&stage.alice, &typing).await?;

    let question = stage.alice.sees_message(|_| true).await?;
    let text = "Of course! I bring\n- a kite\n- _lots_ of tea\n- ~an umbrella~ nothing else";
    let reply = SendMessage::text(text).reply_to(question.id.clone());
    let reply = stage.bob.talk.send(reply).await?;
    let shown = stage
        .alice
        .sees_message(|message| message.id == *reply.id())
        .await?;
    stage.show_message(&stage.alice, &shown).await?;

    let shown = stage.alice.talk.message(reply.id()).map_err(Error::from)?;
    shown.reactions("🪁").map_err(Error::from)?.add().await?;
    let shown = stage
        .bob
        .sees_message(|message| !message.reactions.summaries().is_empty())
        .await?;
    stage.show_reactions(&stage.bob, &shown).await?;
    Ok(())
}

/// Bob changes his mind about the umbrella.
async fn correct(stage: &mut Stage) -> Result<(), CliError> {
    let reply = stage
        .alice
        .sees_message(|message| message.referenced_message.as_ref().is_some())
        .await?;
    let reply = stage.bob.talk.message(&reply.id).map_err(Error::from)?;
    reply
        .edit("Of course! I bring\n- a kite\n- _lots_ of tea\n- an umbrella *after all*")
        .await?;
    let shown = stage
        .alice
        .sees_message(|message| message.edited_at.is_some())
        .await?;
    stage.show_message(&stage.alice, &shown).await?;

    let bye = stage.alice.talk.send("See you at ```10:00```!").await?;
    let shown = stage
        .bob
        .sees_message(|message| message.id == *bye.id())
        .await?;
    stage.show_message(&stage.bob, &shown).await?;
    Ok(())
}
