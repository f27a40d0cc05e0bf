//! Sessions whose store another session uses.

use super::Session;
use crate::error::{RequestError, SessionError};
use crate::inbox::Inboxes;
use crate::options::SessionOptions;
use crate::outbox::Outbox;
use crate::storage::{Record, StoreError};
use crate::timestamp::Timestamp;

impl Session {
    /// Creates a session with a store that another session uses: a standby. Calls and subscriptions
    /// work as usual. The commands of the outbox and of inboxes are
    /// refused with [`CommandError::Standby`](crate::CommandError::Standby) and subscriptions to
    /// [`Topic::Outbox`](crate::Topic::Outbox) wait, until [`open_store`](Self::open_store) passes
    /// the records.
    ///
    /// ```
    /// use talk_proto::{CommandError, Session, SessionOptions, Timestamp, outbox::OutboxOptions};
    ///
    /// let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// options.outbox = Some(OutboxOptions::default());
    /// let now = Timestamp::from_millis(1_700_000_000_000);
    /// let mut session = Session::standby(options, 0x5eed, now);
    /// let refused = session.enqueue(now, "lobby".try_into()?, "Hello!".into());
    /// assert_eq!(refused, Err(CommandError::Standby));
    ///
    /// // The driver has the lock, and has loaded the records.
    /// session.open_store(now, &[]);
    /// session.enqueue(now, "lobby".try_into()?, "Hello!".into())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn standby(options: SessionOptions, seed: u64, now: Timestamp) -> Self {
        let outbox = options.outbox.clone().map(|outbox| {
            let me = options.user_id.clone();
            Box::new(Outbox::standby(me, outbox, now))
        });
        let mut session = Self::restore(options, seed, now, &[]);
        session.durable.outbox = outbox;
        session.durable.inboxes = None;
        session.durable.is_standby = true;
        session
    }

    /// Ends the standby: the session has the store, which contains these records. Has no effect on
    /// a session that is no standby.
    pub fn open_store(&mut self, now: Timestamp, records: &[Record]) {
        self.advance(now);
        if self.ended.is_some() || !std::mem::take(&mut self.durable.is_standby) {
            return;
        }
        if let Some(outbox) = &mut self.durable.outbox {
            outbox.open(self.now, records);
        }
        match &mut self.durable.inboxes {
            Some(inboxes) => inboxes.enter_store(records),
            None => {
                let inboxes = Inboxes::new(self.options.user_id.clone(), Some(records));
                self.durable.inboxes = inboxes.has_records().then(|| Box::new(inboxes));
            }
        }
        self.restore_cache(records);
        self.durable.announce_next_batch();
    }

    /// Makes the session a standby, because another session has taken over the store. Inboxes end.
    /// Entries are dropped, and requests that are not sent are withdrawn: the other session sends
    /// these messages, with the same idempotency keys. Answers to earlier batches have no effect.
    /// Has no effect on a session without a store.
    pub fn close_store(&mut self, now: Timestamp) {
        self.leave_store(now, StoreError::Lost);
    }

    /// Ends the session, because its store cannot be used. Nothing more is stored.
    pub fn fail_store(&mut self, now: Timestamp, error: StoreError) {
        self.leave_store(now, error.clone());
        self.end(SessionError::Store(error));
    }

    fn leave_store(&mut self, now: Timestamp, error: StoreError) {
        self.advance(now);
        let durable = &mut self.durable;
        let Some(writer) = durable.writer.as_mut().filter(|_| !durable.is_standby) else {
            return;
        };
        writer.reset();
        durable.is_standby = true;
        if let Some(outbox) = &mut durable.outbox {
            outbox.close();
            self.live.forget_pages();
        }
        if let Some(cache) = &mut durable.cache {
            cache.close();
        }
        if let Some(inboxes) = &mut self.durable.inboxes {
            inboxes.leave_store(&RequestError::Session(SessionError::Store(error)));
        }
    }
}
