//! The back end of a shop with a conversation for each order: it creates users and conversations,
//! posts system messages, imports history, and receives webhooks. The program opens an order and
//! then receives webhooks. The same back end in Node and Python is in `examples/back_ends`.
//!
//! ```text
//! order_back_end HOST SECRET_KEY PORT
//! ```

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use talk_tokio::rest::webhook::{self, Event, EventData, SeenEvents};
use talk_tokio::rest::{
    Api, ConversationParams, ImportedMessage, NewMessage, RestClient, RestClientError, UserId,
    UserParams, conversation, put_users,
};
use talk_tokio::{MessageId, Secret};

type Failure = Box<dyn Error + Send + Sync>;

/// The back end. Clones share their state.
#[derive(Clone)]
pub(crate) struct BackEnd {
    rest: RestClient,
    keys: Arc<[Secret]>,
    seen: Arc<Mutex<SeenEvents>>,
}

impl BackEnd {
    /// Creates a back end of the app `shop`.
    pub(crate) fn new(host: &str, secret_key: &str) -> Result<Self, Failure> {
        let api = Api::new("shop", secret_key)?.host(host);
        Ok(Self {
            rest: talk_tokio::rest_client(api)?,
            keys: Arc::new([Secret::from(secret_key)]),
            seen: Arc::new(Mutex::new(SeenEvents::new(10_000))),
        })
    }

    /// Creates the users and the conversation of an order. Calling it again changes nothing.
    pub(crate) async fn open_order(
        &self,
        order: &str,
        buyer: &str,
        seller: &str,
    ) -> Result<(), Failure> {
        let ids: [UserId; 2] = [buyer.try_into()?, seller.try_into()?];
        let users = [
            (ids[0].clone(), UserParams::named(buyer).role("buyer")),
            (ids[1].clone(), UserParams::named(seller).role("seller")),
        ];
        self.rest.call(put_users(users)?).await?;
        let params = ConversationParams::of(ids)
            .subject(format!("Order {order}"))
            .custom("state", "open");
        self.rest.call(conversation(order)?.put(params)).await?;
        Ok(())
    }

    /// Posts a notice once, however often it is called.
    pub(crate) async fn payment_received(&self, order: &str) -> Result<MessageId, Failure> {
        let notice = NewMessage::system("*Payment received*");
        let notice = notice.idempotency_key(format!("payment-{order}"));
        let send = conversation(order)?.send([notice])?;
        let sent = self.rest.call(send).await?;
        Ok(sent.into_iter().next().ok_or("the answer is empty")?.id)
    }

    /// Imports messages of an older system.
    pub(crate) async fn import_history(
        &self,
        order: &str,
        messages: Vec<ImportedMessage>,
    ) -> Result<usize, Failure> {
        let mut imported = 0;
        for call in conversation(order)?.import(messages).calls()? {
            imported += self.rest.call(call).await?.len();
        }
        Ok(imported)
    }

    /// Handles an event: a question of the buyer changes the state of the order.
    async fn handle(&self, event: &Event) -> Result<(), RestClientError> {
        let EventData::MessageSent(sent) = &event.data else {
            return Ok(());
        };
        let role = sent
            .sender
            .as_ref()
            .and_then(|sender| sender.role.as_deref());
        let (Some("buyer"), Some(order)) = (role, &sent.conversation) else {
            return Ok(());
        };
        let params = ConversationParams::default()
            .custom("state", "waiting")
            .custom("lastQuestion", sent.message.id.as_str());
        match conversation(&order.id) {
            Ok(order) => self.rest.call(order.put(params)).await,
            // An ID of the service is not empty.
            Err(_) => Ok(()),
        }
    }

    /// Returns the routes that receive webhooks.
    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/hooks", post(receive))
            .with_state(self.clone())
    }
}

/// Receives a webhook. With a status other than 200, the service sends it once more.
async fn receive(State(back_end): State<BackEnd>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now = SystemTime::now().into();
    let tolerance = Some(webhook::DEFAULT_TOLERANCE);
    let event = match webhook::verify_headers(&back_end.keys, &headers, &body, now, tolerance) {
        Ok(event) => event,
        Err(rejected) => {
            eprintln!("{rejected}");
            return StatusCode::UNAUTHORIZED;
        }
    };
    let seen = || back_end.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if seen().contains(&event) {
        return StatusCode::OK;
    }
    if let Err(error) = back_end.handle(&event).await {
        eprintln!("{event}: {error}");
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    seen().insert(&event);
    StatusCode::OK
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [host, secret_key, port] = arguments.as_slice() else {
        return Err("usage: order_back_end HOST SECRET_KEY PORT".into());
    };
    let back_end = BackEnd::new(host, secret_key)?;
    back_end.open_order("1", "alice", "bob").await?;
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    let old = ImportedMessage::user("bob".try_into()?, "Ready to ship", yesterday.into());
    back_end.import_history("1", vec![old]).await?;
    back_end.payment_received("1").await?;
    let address = format!("127.0.0.1:{port}");
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!(
        "receiving webhooks at http://{}/hooks",
        listener.local_addr()?
    );
    axum::serve(listener, back_end.routes()).await?;
    Ok(())
}
