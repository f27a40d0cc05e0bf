//! A group of sessions.

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use talk_tokio::{MessageSnapshot, Session, Subscription, UserParams, Window, get_talk_session};

use crate::server::Servers;

/// The sessions that connect at the same time.
const AT_ONCE: usize = 100;

/// Connected sessions, each with a subscription to a conversation without messages.
#[derive(Default)]
pub(crate) struct ManySessions {
    members: Vec<Member>,
}

struct Member {
    session: Session,
    _messages: Subscription<Option<Window<MessageSnapshot>>>,
}

impl ManySessions {
    /// Adds `by` sessions and waits for their first snapshots.
    pub(crate) async fn grow(&mut self, servers: &Servers, by: usize) -> Result<()> {
        self.members.reserve_exact(by);
        let first = self.members.len();
        let mut joining = stream::iter(first..first + by)
            .map(|number| Member::join(servers, number))
            .buffer_unordered(AT_ONCE);
        while let Some(member) = joining.try_next().await? {
            self.members.push(member);
        }
        Ok(())
    }

    pub(crate) fn sessions(&self) -> impl ExactSizeIterator<Item = &Session> {
        self.members.iter().map(|member| &member.session)
    }
}

impl Member {
    async fn join(servers: &Servers, number: usize) -> Result<Self> {
        let session = get_talk_session(servers.options(number)?)?;
        let name = UserParams::named(format!("User {number}"));
        session.current_user().set(name).await?;
        let conversation = session.conversation(format!("conversation {number}"))?;
        conversation
            .create_if_not_exists(Default::default())
            .await?;
        let messages = conversation.subscribe_messages();
        messages.connected().await?;
        Ok(Self {
            session,
            _messages: messages,
        })
    }
}
