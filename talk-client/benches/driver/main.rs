//! What an application pays for an event and for a call beside its own work: the whole way between
//! the bytes of a socket and a snapshot or an answer, on a network in memory.
//!
//! ```sh
//! cargo bench -p talk-client
//! ```

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

mod peer;
mod wire;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use futures_util::FutureExt;
use futures_util::stream::StreamExt;
use talk_client::{
    ConversationRef, MessageSnapshot, Subscription, TalkOptions, Update, Window,
    get_talk_session_on,
};

use self::wire::Network;

fn main() {
    divan::main();
}

type Messages = Option<Window<MessageSnapshot>>;

/// A session that is connected and shows the messages of a conversation.
struct Client {
    network: Network,
    conversation: ConversationRef,
    messages: Subscription<Messages>,
    heard: u64,
}

impl Client {
    fn connected() -> Self {
        let network = Network::default();
        let options = TalkOptions::new("app", "alice").expect("IDs");
        let options = options.host("127.0.0.1:1").token("t").force_new();
        let session = get_talk_session_on(&network, options);
        let conversation = session.conversation("lobby").expect("an ID");
        let messages = conversation.subscribe_messages();
        network.run();
        network.take_over();
        let mut client = Self {
            network,
            conversation,
            messages,
            heard: 0,
        };
        assert!(client.take().is_some(), "no first snapshot");
        client
    }

    /// So many publish frames come at once, and their acknowledgements go out.
    fn hear(&mut self, frames: u64) {
        let mut bytes = Vec::new();
        for number in self.heard + 1..=self.heard + frames {
            peer::frame(&mut bytes, &peer::publish(number));
        }
        self.heard += frames;
        self.network.arrive(&bytes);
        self.network.run();
        self.network.sent(|sent| assert!(!sent.is_empty()));
    }

    fn take(&mut self) -> Option<Update<Messages>> {
        self.messages.next().now_or_never().flatten()
    }
}

/// Messages come, so many at once, and the consumer takes the snapshot.
#[divan::bench(args = [1, 32])]
fn receive_messages(bencher: Bencher<'_, '_>, frames: u64) {
    let mut client = Client::connected();
    bencher.counter(ItemsCount::new(frames)).bench_local(|| {
        client.hear(frames);
        black_box(client.take().expect("an update"))
    });
}

/// The same while nobody looks.
#[divan::bench(args = [1, 32])]
fn receive_messages_unpolled(bencher: Bencher<'_, '_>, frames: u64) {
    let mut client = Client::connected();
    bencher
        .counter(ItemsCount::new(frames))
        .bench_local(|| client.hear(frames));
}

/// A message is sent and answered.
#[divan::bench]
fn send_message(bencher: Bencher<'_, '_>) {
    let mut client = Client::connected();
    let network = client.network.clone();
    bencher.bench_local(|| {
        let mut send = client.conversation.send("The kettle is on.");
        assert!((&mut send).now_or_never().is_none());
        network.run();
        let mut answer = Vec::new();
        network.sent(|sent| {
            let seq = peer::seq(sent).expect("a request");
            peer::frame(
                &mut answer,
                &format!("[{seq},200,{{\"id\":\"msg_{seq}\"}}]"),
            );
        });
        network.arrive(&answer);
        network.run();
        send.now_or_never().expect("an answer").expect("a message")
    });
    drop(client.take());
}
