//! A minimal program: it connects and shows the first snapshot.
//!
//! ```sh
//! cargo run -p talk-cli -- emulator --port 4000
//! cargo run -p talk-tokio --example first_snapshot -- 127.0.0.1:4000
//! ```

use std::env;
use std::error::Error;

use talk_tokio::{TalkOptions, UserParams, get_talk_session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let host = env::args()
        .nth(1)
        .ok_or("usage: first_snapshot HOST:PORT")?;
    let session = get_talk_session(TalkOptions::new("my_app", "alice")?.host(&host))?;
    session
        .current_user()
        .set(UserParams::named("Alice"))
        .await?;
    let lobby = session.conversation("lobby")?;
    lobby.create_if_not_exists(Default::default()).await?;
    let messages = lobby.subscribe_messages();
    let shown = messages.connected().await?;
    println!("{} messages", shown.map_or(0, |window| window.len()));
    Ok(())
}
