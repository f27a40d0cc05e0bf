//! A conversation in a user interface with a loop of its own: each frame draws the latest snapshot
//! and never waits. The chat runs on another thread.
//!
//! ```text
//! cargo run -p talk-examples --bin desktop_ui -- 127.0.0.1:4000
//! ```

use std::io::{BufRead, stdin};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;
use std::{env, thread};

use talk_tokio::{
    ConnectionState, ConversationRef, Error, MessageSnapshot, Session, Subscription, TalkOptions,
    TokioRuntime, TypingSnapshot, UserParams, Window, get_talk_session_on,
};
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = env::args().nth(1).ok_or("usage: desktop_ui HOST:PORT")?;
    let mut view = ChatView::open(&host, "alice", "lobby")?;
    // Stands for the events of a window system.
    let (lines, input) = channel();
    thread::spawn(move || {
        stdin()
            .lock()
            .lines()
            .map_while(Result::ok)
            .try_for_each(|it| lines.send(it))
    });
    let mut shown = Vec::new();
    loop {
        match input.try_recv() {
            Ok(line) => view.send(line),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
        let frame = view.frame();
        if frame != shown {
            println!("\n{}", frame.join("\n"));
            shown = frame;
        }
        thread::sleep(Duration::from_millis(16));
    }
}

/// The state of a chat window.
pub(crate) struct ChatView {
    session: Session,
    conversation: ConversationRef,
    messages: Subscription<Option<Window<MessageSnapshot>>>,
    typing: Subscription<Option<TypingSnapshot>>,
    failures: Receiver<Error>,
    on_failure: Sender<Error>,
    last_failure: Option<Error>,
    /// Dropped last: the session runs on it.
    runtime: Runtime,
}

impl ChatView {
    /// Opens a conversation. It returns at once; the messages appear in a later frame.
    pub(crate) fn open(
        host: &str,
        user: &'static str,
        conversation: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let options = TalkOptions::new("my_app", user)?.host(host);
        let session = get_talk_session_on(&TokioRuntime::new(runtime.handle().clone()), options);
        let conversation = session.conversation(conversation)?;
        let (on_failure, failures) = channel();
        let view = Self {
            messages: conversation.subscribe_messages(),
            typing: conversation.subscribe_typing(),
            session,
            conversation,
            failures,
            on_failure,
            last_failure: None,
            runtime,
        };
        let (me, joined) = (view.session.current_user(), view.conversation.clone());
        view.start(async move {
            me.create_if_not_exists(UserParams::named(user)).await?;
            joined.create_if_not_exists(Default::default()).await
        });
        Ok(view)
    }

    /// Sends a message in the background.
    pub(crate) fn send(&self, text: String) {
        let send = self.conversation.send(text);
        self.start(async { send.await.map(drop) });
    }

    /// Starts a call. A failure is shown in the next frame.
    fn start(&self, call: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let on_failure = self.on_failure.clone();
        self.runtime.spawn(async move {
            if let Err(error) = call.await {
                // The window may be closed.
                let _ = on_failure.send(error);
            }
        });
    }

    /// Returns the lines to draw.
    pub(crate) fn frame(&mut self) -> Vec<String> {
        self.last_failure = self.failures.try_iter().last().or(self.last_failure.take());
        let mut lines = Vec::new();
        if let Some(Some(window)) = self.messages.latest() {
            // The window is newest first, the screen newest last.
            for index in (0..window.len()).rev() {
                lines.push(line_of(&window[index]));
            }
        }
        if let Some(Some(TypingSnapshot::Few(users))) = self.typing.latest() {
            lines.extend(users.iter().map(|user| format!("{} is typing", user.name)));
        }
        if let ConnectionState::Waiting { reason, .. } = self.session.connection_state() {
            lines.push(format!("not connected: {reason}"));
        }
        lines.extend(
            self.last_failure
                .as_ref()
                .map(|error| format!("failed: {error}")),
        );
        lines
    }
}

fn line_of(message: &MessageSnapshot) -> String {
    let sender = message.sender.as_ref().map_or("", |sender| &sender.name);
    format!("{sender}: {}", message.plaintext())
}
