//! The outbox and its store without a network: a transport that is always offline, polled by hand.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::future::{Future, pending, ready};
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http::{Request, Response};
use talk_client::outbox::{OutboxEntry, OutboxOptions};
use talk_client::store::{MemoryStore, Store, StoreError, StoreState};
use talk_client::transport::{
    BoxFuture, ClockReading, ConnectError, HttpError, MaybeSend, RequestBody, ResponseBody,
    Transport, WebSocket, WebSocketError, WebSocketEvent,
};
use talk_client::{
    CommandError, ConversationRef, Error, Session, SessionError, TalkOptions, get_talk_session_over,
};

/// A transport without a network.
#[derive(Clone, Default)]
struct Offline {
    tasks: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
}

impl Offline {
    /// Polls every task a few times.
    fn run(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..8 {
            let mut tasks = mem::take(&mut *self.tasks.lock().unwrap());
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
            self.tasks.lock().unwrap().append(&mut tasks);
        }
    }

    /// Runs a future that needs no network.
    fn complete<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = Box::pin(future);
        for _ in 0..8 {
            if let Some(value) = (&mut future).now_or_never() {
                return value;
            }
            self.run();
        }
        panic!("the future is not complete");
    }

    fn session(&self, options: TalkOptions) -> (Session, ConversationRef) {
        let session = get_talk_session_over(self, options);
        let conversation = session.conversation("c").unwrap();
        (session, conversation)
    }

    fn stored(&self, entry: &OutboxEntry) {
        self.complete(entry.stored()).unwrap();
        assert!(entry.latest().unwrap().durable);
    }
}

impl Transport for Offline {
    type WebSocket = NoSocket;

    fn websocket(&self, _: &str, _: usize) -> BoxFuture<'static, Result<NoSocket, ConnectError>> {
        let reason = "the browser is offline".to_owned();
        Box::pin(ready(Err(ConnectError::Handshake { reason })))
    }

    fn http(
        &self,
        _: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, HttpError>> {
        Box::pin(pending())
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn spawn(&self, task: impl Future<Output = ()> + MaybeSend + 'static) {
        self.tasks.lock().unwrap().push(Box::pin(task));
    }

    fn spawn_blocking(&self, work: impl FnOnce() + MaybeSend + 'static) {
        work();
    }

    fn now(&self) -> ClockReading {
        ClockReading {
            monotonic: Duration::from_secs(1),
            wall: Duration::from_secs(1_700_000_000),
        }
    }

    fn seed(&self) -> u64 {
        7
    }
}

struct NoSocket;

impl WebSocket for NoSocket {
    fn poll_event(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<WebSocketEvent, WebSocketError>>> {
        Poll::Pending
    }

    fn start_send(&mut self, _: String) {}

    fn start_close(&mut self, _: u16) {}

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        Poll::Ready(Ok(()))
    }

    fn unsent(&self) -> usize {
        0
    }
}

fn options(user: &str) -> TalkOptions {
    let options = TalkOptions::new("app", user).unwrap().token("token");
    options.host("127.0.0.1:1")
}

fn texts(options: &TalkOptions) -> Vec<String> {
    let entries = options.stored_entries().now_or_never().unwrap().unwrap();
    entries.iter().map(|entry| entry.plaintext()).collect()
}

#[test]
fn enqueue_offline_is_stored_and_restored() {
    let transport = Offline::default();
    let options = options("restored").store(MemoryStore::default());
    let (session, conversation) = transport.session(options.clone());
    assert_eq!(session.store_state(), StoreState::Opening);
    let (first, second) = (conversation.enqueue("one"), conversation.enqueue("two"));
    transport.stored(&first);
    transport.stored(&second);
    assert_eq!(session.store_state(), StoreState::Active);
    transport.complete(session.shutdown());
    assert_eq!(session.store_state(), StoreState::Closed);
    let ended = Err(Error::Session(SessionError::Shutdown));
    assert_eq!(transport.complete(first.sent()), ended);

    let (session, conversation) = transport.session(options.clone());
    transport.stored(&conversation.enqueue("three"));
    let mut entries = session.subscribe_outbox();
    let update = transport.complete(entries.next()).unwrap();
    let visible: Vec<_> = update.snapshot.iter().map(|it| it.plaintext()).collect();
    assert_eq!(visible, ["one", "two", "three"]);
    assert_eq!(texts(&options), visible);
}

#[test]
fn entry_can_be_changed_before_it_is_sent() {
    let transport = Offline::default();
    let options = options("changed").store(MemoryStore::default());
    let (session, conversation) = transport.session(options.clone());
    let (first, second) = (conversation.enqueue("one"), conversation.enqueue("two"));
    assert!(transport.complete(first.edit("One")).unwrap());
    assert!(transport.complete(second.discard()).unwrap());
    assert!(!transport.complete(second.discard()).unwrap());
    let discarded = Err(Error::Discarded);
    assert_eq!(transport.complete(second.sent()), discarded);
    let unknown = session.outbox_entry("unknown".try_into().unwrap());
    let expected = Err(Error::Usage(CommandError::UnknownEntry));
    assert_eq!(transport.complete(unknown.retry()), expected);
    transport.complete(session.shutdown());
    assert_eq!(texts(&options), ["One"]);
}

#[test]
fn outbox_without_store_lives_in_memory() {
    let transport = Offline::default();
    let options = options("memory").outbox(OutboxOptions::default());
    let (session, conversation) = transport.session(options);
    let entry = conversation.enqueue("one");
    transport.complete(entry.stored()).unwrap();
    assert!(!entry.latest().unwrap().durable);
    assert_eq!(session.store_state(), StoreState::InMemory);
}

#[test]
fn last_handle_dropped_stores_its_entries() {
    let transport = Offline::default();
    let store = MemoryStore::default();
    let options = options("dropped").store(store.clone());
    let (session, conversation) = transport.session(options.clone());
    drop(conversation.enqueue("one"));
    drop((session, conversation));
    transport.run();
    assert!(transport.tasks.lock().unwrap().is_empty());
    assert_eq!(texts(&options), ["one"]);
    let lease = store.lock(&options.store_key()).now_or_never().unwrap();
    assert!(lease.is_ok());
}

#[test]
fn store_in_use_ends_the_session() {
    let transport = Offline::default();
    let store = MemoryStore::default();
    let options = options("in_use").store(store.clone());
    let lease = store.lock(&options.store_key()).now_or_never().unwrap();
    let options = options.store_timeout(Duration::ZERO);
    let (session, conversation) = transport.session(options.clone());
    let in_use = Error::Store(StoreError::InUse);
    let stored = transport.complete(conversation.enqueue("one").stored());
    assert_eq!(stored, Err(in_use.clone()));
    assert_eq!(
        session.error(),
        Some(SessionError::Store(StoreError::InUse))
    );
    assert_eq!(transport.complete(conversation.send("one")), Err(in_use));
    assert_eq!(
        session.store_state(),
        StoreState::Failing(StoreError::InUse)
    );

    drop(lease);
    let (_session, conversation) = transport.session(options);
    transport.stored(&conversation.enqueue("one"));
}

#[test]
fn shared_session_without_store_is_refused() {
    let transport = Offline::default();
    let (first, _) = transport.session(options("shared"));
    let stored = options("shared").store(MemoryStore::default());
    let (second, conversation) = transport.session(stored.clone());
    let refused = StoreError::SharedWithoutStore;
    assert_eq!(second.error(), Some(SessionError::Store(refused.clone())));
    let sent = transport.complete(conversation.send("one"));
    assert_eq!(sent, Err(Error::Store(refused)));

    transport.complete(first.shutdown());
    let (third, _) = transport.session(stored);
    assert_eq!(third.error(), None);
    assert_eq!(transport.session(options("shared")).0, third);
}
