//! The cost of events and calls: the path between the bytes of a socket and a snapshot or a reply,
//! on a network in memory.
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

/// A connected session that subscribes to the messages of a conversation.
struct Client {
    network: Network,
    conversation: ConversationRef,
    messages: Subscription<Messages>,
    received: u64,
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
            received: 0,
        };
        assert!(client.take().is_some(), "no first snapshot");
        client
    }

    /// Delivers `frames` publish frames at once and sends their acknowledgements.
    fn receive(&mut self, frames: u64) {
        let mut bytes = Vec::new();
        for number in self.received + 1..=self.received + frames {
            peer::frame(&mut bytes, &peer::publish(number));
        }
        self.received += frames;
        self.network.arrive(&bytes);
        self.network.run();
        self.network.sent(|sent| assert!(!sent.is_empty()));
    }

    fn take(&mut self) -> Option<Update<Messages>> {
        self.messages.next().now_or_never().flatten()
    }
}

/// Receives `frames` messages at once and polls the snapshot.
#[divan::bench(args = [1, 32])]
fn receive_messages(bencher: Bencher<'_, '_>, frames: u64) {
    let mut client = Client::connected();
    bencher.counter(ItemsCount::new(frames)).bench_local(|| {
        client.receive(frames);
        black_box(client.take().expect("an update"))
    });
}

/// Receives messages without polling.
#[divan::bench(args = [1, 32])]
fn receive_messages_unpolled(bencher: Bencher<'_, '_>, frames: u64) {
    let mut client = Client::connected();
    bencher
        .counter(ItemsCount::new(frames))
        .bench_local(|| client.receive(frames));
}

/// Sends a message and receives the answer.
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
