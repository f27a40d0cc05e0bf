//! Cut and refused connections during many sends: no message is lost or doubled.

use std::time::Duration;

use futures_util::future::join_all;
use talk_emulator::Emulator;
use talk_tokio::{ConversationRef, Pacing, TalkOptions, UserParams, get_talk_session};

const SENDS: usize = 1_000;
const CUTS: usize = 10;
/// The longest page of the server.
const PAGE: usize = 100;

type Outcome = Result<(), Box<dyn std::error::Error>>;

// On a single thread, tasks start in the order in which they were spawned.
#[tokio::test]
async fn thousand_sends_survive_ten_cuts_in_order() -> Outcome {
    let emulator = Emulator::start().await?;
    let options = TalkOptions::new("cut_sends", "alice")?
        .host(emulator.host())
        .pacing(Pacing::Off);
    let session = get_talk_session(options)?;
    session
        .current_user()
        .set(UserParams::named("Alice"))
        .await?;
    let lobby = session.conversation("lobby")?;
    lobby.create_if_not_exists(Default::default()).await?;

    // The connection is cut after each batch is queued, while its messages are in flight.
    let mut sends = Vec::new();
    for cut in 0..CUTS {
        let batch = SENDS / CUTS;
        let texts = cut * batch..(cut + 1) * batch;
        sends.extend(texts.map(|n| tokio::spawn(lobby.send(n.to_string()))));
        tokio::time::sleep(Duration::from_millis(5)).await;
        emulator.refuse_connections(true);
        emulator.drop_connections().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        emulator.refuse_connections(false);
        session.network_changed();
    }
    for sent in join_all(sends).await {
        sent??;
    }

    let expected: Vec<_> = (0..SENDS).map(|n| n.to_string()).collect();
    assert_eq!(texts_of(&lobby).await?, expected);
    Ok(())
}

/// Returns every text on the server, in the order of the sends.
async fn texts_of(conversation: &ConversationRef) -> Result<Vec<String>, talk_tokio::Error> {
    let messages = conversation.subscribe_messages();
    messages.connected().await?;
    loop {
        let window = messages.latest().flatten();
        if window.as_ref().is_none_or(|window| window.loaded_all()) {
            let newest_first = window.iter().flat_map(|window| window.iter());
            let mut texts: Vec<_> = newest_first.map(|message| message.plaintext()).collect();
            texts.reverse();
            return Ok(texts);
        }
        messages.load_more(PAGE).await?;
    }
}
