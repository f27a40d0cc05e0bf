//! A web back end: issues tokens, sends messages, and streams a conversation to browsers by
//! server-sent events. It checks the caller before it uses a session.
//!
//! ```text
//! cargo run -p talk-examples --bin web_backend -- 127.0.0.1:4000
//! curl -H 'Authorization: Bearer key-of-alice' http://127.0.0.1:3000/token
//! curl -H 'Authorization: Bearer key-of-alice' -d 'Hello' http://127.0.0.1:3000/lobby/messages
//! curl -N -H 'Authorization: Bearer key-of-alice' http://127.0.0.1:3000/lobby/events
//! ```

use std::collections::HashMap;
use std::convert::Infallible;
use std::env;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{StatusCode, request::Parts};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use talk_tokio::{
    Error, MessageSnapshot, RetrySafety, Secret, Session, TalkOptions, Timestamp, TokenClaims,
    UserId, Window, get_talk_session,
};
use tokio::net::TcpListener;
use tokio::sync::watch;

const APP: &str = "my_app";
const TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = env::args().nth(1).ok_or("usage: web_backend HOST:PORT")?;
    let secret = env::var("TALK_SECRET_KEY").unwrap_or_default();
    let logins = [("key-of-alice", "alice"), ("key-of-bob", "bob")];
    let backend = Backend::new(host, secret.into(), logins)?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    let stop = async {
        // Without a signal handler the program can only be killed.
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(backend.serve(listener, stop).await?)
}

#[derive(Clone)]
pub(crate) struct Backend(Arc<Shared>);

struct Shared {
    host: String,
    /// The secret key of the app, which never leaves the server.
    secret: Secret,
    /// The users by API key, in place of the login of a real back end.
    logins: HashMap<&'static str, UserId>,
    /// The sessions in use. A session that is kept need not connect for each request.
    sessions: Mutex<HashMap<UserId, Session>>,
    /// Becomes `true` when the server stops, to end the streams.
    stopping: watch::Sender<bool>,
}

impl Backend {
    pub(crate) fn new(
        host: String,
        secret: Secret,
        logins: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Result<Self, talk_tokio::EmptyId> {
        let users = logins.into_iter().map(|(key, user)| {
            let user = UserId::new(user)?;
            Ok((key, user))
        });
        let logins = users.collect::<Result<_, talk_tokio::EmptyId>>()?;
        Ok(Self(Arc::new(Shared {
            host,
            secret,
            logins,
            sessions: Mutex::default(),
            stopping: watch::Sender::new(false),
        })))
    }

    /// Serves until `stop` resolves, then lets requests finish and closes the sessions.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let routes = Router::new()
            .route("/token", get(token))
            .route("/{conversation}/messages", post(send))
            .route("/{conversation}/events", get(events))
            .with_state(self.clone());
        let stopping = self.0.stopping.clone();
        let stop = async move {
            stop.await;
            stopping.send_replace(true);
        };
        axum::serve(listener, routes)
            .with_graceful_shutdown(stop)
            .await?;
        let sessions = std::mem::take(&mut *self.sessions());
        for session in sessions.into_values() {
            session.shutdown().await;
        }
        Ok(())
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<UserId, Session>> {
        self.0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn mint(&self, user: &UserId) -> Result<Secret, talk_tokio::EmptyId> {
        let expiry = Timestamp::from(SystemTime::now() + TOKEN_LIFETIME);
        let claims = TokenClaims::new(APP.try_into()?, user.clone());
        Ok(claims.expires_at(expiry).mint(&self.0.secret))
    }

    /// Returns the session of an authenticated user.
    fn session(&self, caller: &Caller) -> Result<Session, Failure> {
        let mut sessions = self.sessions();
        if let Some(session) = sessions.get(&caller.0)
            && session.error().is_none()
        {
            return Ok(session.clone());
        }
        let (backend, user) = (self.clone(), caller.0.clone());
        let fetch = move || ready(backend.mint(&user));
        let options = TalkOptions::new(APP, &caller.0)?
            .host(&self.0.host)
            .token_fetcher(fetch)
            .call_timeout(CALL_TIMEOUT);
        let session = get_talk_session(options)?;
        sessions.insert(caller.0.clone(), session.clone());
        Ok(session)
    }
}

/// The authenticated user of a request. Handlers take the user from here, never from a parameter.
pub(crate) struct Caller(UserId);

impl FromRequestParts<Backend> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, backend: &Backend) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION);
        let key = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let user = key.and_then(|key| backend.0.logins.get(key));
        Ok(Self(user.ok_or(StatusCode::UNAUTHORIZED)?.clone()))
    }
}

/// Returns a token for a client that connects to the chat service itself.
async fn token(State(backend): State<Backend>, caller: Caller) -> Result<String, Failure> {
    Ok(backend.mint(&caller.0)?.expose().to_owned())
}

async fn send(
    State(backend): State<Backend>,
    caller: Caller,
    Path(conversation): Path<String>,
    text: String,
) -> Result<String, Failure> {
    let conversation = backend.session(&caller)?.conversation(conversation)?;
    Ok(conversation.send(text).await?.id().to_string())
}

/// Streams the newest messages as JSON, again after each change. The stream ends when the user is
/// removed from the conversation, the caller disconnects, or the server stops.
async fn events(
    State(backend): State<Backend>,
    caller: Caller,
    Path(conversation): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let conversation = backend.session(&caller)?.conversation(conversation)?;
    if conversation.get().await?.is_none() {
        return Err(Error::NotAParticipant.into());
    }
    let mut stopping = backend.0.stopping.subscribe();
    let stopped = async move {
        // An error means that the server has stopped.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let events = conversation
        .subscribe_messages()
        .take_until(Box::pin(stopped))
        .take_while(|update| ready(update.snapshot.is_some()))
        .filter_map(|update| ready(update.snapshot.as_ref().and_then(event)));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn event(window: &Window<MessageSnapshot>) -> Option<Result<Event, Infallible>> {
    Event::default().json_data(window).ok().map(Ok)
}

/// The response to a call that failed.
struct Failure(Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Error::Usage(_) => StatusCode::BAD_REQUEST,
            Error::NotAParticipant => StatusCode::FORBIDDEN,
            Error::Server(refused) => {
                StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            error if error.retry_safety() == RetrySafety::Safe => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        };
        (status, self.0.to_string()).into_response()
    }
}
