//! The two users and their screens.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use talk_tokio::{
    ConversationRef, ConversationSnapshot, MessageSnapshot, Session, Subscription, TalkOptions,
    TypingSnapshot, Window, get_talk_session,
};
use tokio::time::sleep;

use crate::exit::CliError;
use crate::terminal::{Paint, Show, Style, quote, reactions};

/// The ID of the conversation.
const CONVERSATION: &str = "weekend";

/// Two users with a screen each.
pub(crate) struct Stage {
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    style: Style,
    pause: Duration,
}

/// A user with a screen that shows one conversation live.
pub(crate) struct Person {
    name: &'static str,
    paint: Paint,
    pub(crate) session: Session,
    /// The conversation in which the user acts.
    pub(crate) talk: ConversationRef,
    conversation: Subscription<Option<Arc<ConversationSnapshot>>>,
    messages: Subscription<Option<Window<MessageSnapshot>>>,
    typing: Subscription<Option<TypingSnapshot>>,
}

impl Stage {
    pub(crate) fn new(host: &str, style: Style, pause: Duration) -> Result<Self, CliError> {
        Ok(Self {
            alice: Person::new("Alice", Paint::Magenta, host)?,
            bob: Person::new("Bob", Paint::Cyan, host)?,
            style,
            pause,
        })
    }

    /// Prints a comment for the reader.
    pub(crate) fn narrate(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{}", self.style.paint(Paint::Dim, text))
    }

    /// Prints lines on a person's screen, after the pause.
    pub(crate) async fn show(&self, person: &Person, text: &str) -> io::Result<()> {
        sleep(self.pause).await;
        let label = format!("{}'s screen", person.name);
        let label = self.style.paint(person.paint, &format!("{label:>14}"));
        let mut output = io::stdout().lock();
        for (index, line) in text.lines().enumerate() {
            match index {
                0 => writeln!(output, "{label} │ {line}")?,
                _ => writeln!(output, "{:>14} │ {line}", "")?,
            }
        }
        output.flush()
    }

    /// Shows a message on a person's screen.
    pub(crate) async fn show_message(
        &self,
        person: &Person,
        shown: &MessageSnapshot,
    ) -> io::Result<()> {
        self.show(person, &shown.show(self.style)).await
    }

    /// Shows the reactions to a message on a person's screen.
    pub(crate) async fn show_reactions(
        &self,
        person: &Person,
        shown: &MessageSnapshot,
    ) -> io::Result<()> {
        let text = format!("{} for “{}”", reactions(shown), quote(shown));
        self.show(person, &text).await
    }

    /// Shows the typing users on a person's screen.
    pub(crate) async fn show_typing(
        &self,
        person: &Person,
        shown: &TypingSnapshot,
    ) -> io::Result<()> {
        self.show(person, &shown.show(self.style)).await
    }

    /// Ends both sessions.
    pub(crate) async fn close(self) {
        self.alice.session.shutdown().await;
        self.bob.session.shutdown().await;
    }
}

impl Person {
    fn new(name: &'static str, paint: Paint, host: &str) -> Result<Self, CliError> {
        let options =
            TalkOptions::new("demo", name.to_lowercase()).map_err(talk_tokio::Error::from)?;
        let session = get_talk_session(options.host(host))?;
        let talk = session
            .conversation(CONVERSATION)
            .map_err(talk_tokio::Error::from)?;
        Ok(Self {
            name,
            paint,
            conversation: talk.subscribe(),
            messages: talk.subscribe_messages(),
            typing: talk.subscribe_typing(),
            talk,
            session,
        })
    }

    /// Waits until the conversation on the screen matches `wanted`.
    pub(crate) async fn sees_conversation(
        &mut self,
        wanted: impl Fn(&ConversationSnapshot) -> bool,
    ) -> Result<Arc<ConversationSnapshot>, CliError> {
        seen(&mut self.conversation, |conversation| {
            conversation.clone().filter(|shown| wanted(shown))
        })
        .await
    }

    /// Waits until a message on the screen matches `wanted`.
    pub(crate) async fn sees_message(
        &mut self,
        wanted: impl Fn(&MessageSnapshot) -> bool,
    ) -> Result<Arc<MessageSnapshot>, CliError> {
        seen(&mut self.messages, |messages| {
            let mut shown = messages.iter().flat_map(Window::iter);
            shown.find(|message| wanted(message)).cloned()
        })
        .await
    }

    /// Waits until the screen shows a typing user.
    pub(crate) async fn sees_typing(&mut self) -> Result<TypingSnapshot, CliError> {
        seen(&mut self.typing, |typing| {
            let is_empty_list =
                |typing: &_| matches!(typing, TypingSnapshot::Few(users) if users.is_empty());
            typing.clone().filter(|typing| !is_empty_list(typing))
        })
        .await
    }
}

/// Follows a subscription from its current snapshot, until `look` returns a value.
async fn seen<S: Clone + PartialEq, T>(
    subscription: &mut Subscription<S>,
    look: impl Fn(&S) -> Option<T>,
) -> Result<T, CliError> {
    if let Some(found) = subscription.latest().as_ref().and_then(&look) {
        return Ok(found);
    }
    while let Some(update) = subscription.next().await {
        if let Some(found) = look(&update.snapshot) {
            return Ok(found);
        }
    }
    // The subscription has ended, which happens only with an error.
    subscription.terminated().await?;
    Err(CliError::Demo)
}
