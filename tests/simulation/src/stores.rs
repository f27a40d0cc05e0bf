//! Worlds in which sessions have stores: crashes, restarts and answers of stores.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use talk_proto::model::EntryId;
use talk_proto::outbox::OutboxOptions;
use talk_proto::storage::{BatchId, Change};
use talk_proto::{Input, Timestamp};

use super::broken::broken;
use super::client::Client;
use super::disk::{self, Disk, StoreAnswer};
use super::entries::Entries;
use super::entry_files::EntryFiles;
use super::fault_kind::FaultKind;
use super::mail::{Address, Mail};
use super::posts::{PostFrame, Posts};
use super::wire::Parcel;
use super::world::World;

/// The stores of all sessions.
pub(super) struct Stores {
    pub(super) options: OutboxOptions,
    /// The store of each session, and the entries that it is to hold.
    pub(super) disks: Vec<Disk>,
    pub(super) entries: Vec<Entries>,
    pub(super) posts: Posts,
    pub(super) files: EntryFiles,
    /// Set if the sessions keep the windows of the last one in their stores.
    pub(super) has_cache: bool,
    /// The session of a second device of the first session's user.
    pub(super) twin: Option<usize>,
}

impl World {
    /// Replaces all sessions by sessions with empty stores.
    pub(super) fn add_stores(&mut self, details: u32) {
        if self.stores.is_some() {
            return;
        }
        self.finish_tick();
        let mut dice = Rng::with_seed(details.into());
        let mut options = OutboxOptions::default();
        if dice.u8(..4) == 0 {
            options.entries = dice.usize(3..20);
        }
        let lifetimes = [options.key_lifetime, Duration::from_secs(300)];
        options.key_lifetime = lifetimes[dice.usize(..2)];
        let sessions = 0..self.clients.len();
        let twin = Some(self.clients.len() - 1).filter(|twin| *twin > 1 && dice.bool());
        self.stores = Some(Stores {
            options,
            disks: sessions.clone().map(|_| Disk::new(self.now)).collect(),
            entries: sessions.clone().map(|_| Entries::default()).collect(),
            posts: Posts::default(),
            files: EntryFiles::default(),
            has_cache: dice.bool(),
            twin,
        });
        for who in sessions {
            self.restart_process(who);
        }
    }

    /// Ends a process at once. Its frames in flight may still arrive.
    pub(super) fn crash(&mut self, who: usize) {
        self.steps += 1;
        self.trace(who, || "! the process crashes".to_owned());
        let at = self.arrival(who);
        for wire in self.wires.values_mut().filter(|w| w.client.who == who) {
            wire.client_is_gone = true;
            wire.down.lose_all();
            if self.rng.bool() {
                wire.up.cut(&mut self.rng);
            }
            wire.up.put_last(at, Parcel::Goodbye);
        }
        if let Some(stores) = &mut self.stores {
            stores.disks[who].crash(&mut self.rng);
        }
        self.restart_process(who);
    }

    /// Starts a new process with the records of its store.
    pub(super) fn restart_process(&mut self, who: usize) {
        self.sends.forget_unresolved(self.address(who));
        self.uploads.retain(|(of, _), _| *of != who);
        let life = self.clients[who].life + 1;
        self.clients[who] = self.new_client(who, life);
        self.restart_driver(who);
        self.note_restored(who);
        self.drain(who);
    }

    /// Compares the entries of a session that has opened its store with the expected ones.
    pub(super) fn note_restored(&mut self, who: usize) {
        let Some(stores) = &mut self.stores else {
            return;
        };
        let session = &self.clients[who].session;
        let restored: BTreeSet<EntryId> = session
            .outbox_entries()
            .map(|entry| entry.id.clone())
            .collect();
        let sent = |id: &EntryId| {
            let receipt = session.outbox_receipt(id)?;
            Some(receipt.message.as_str().to_owned())
        };
        stores.entries[who].restarted(&restored, sent);
    }

    /// Checks a frame of a session before it is sent: an attempt is stored before its frame.
    pub(super) fn check_sent_frame(&self, who: usize, frame: &str) {
        let Some(stores) = &self.stores else {
            return;
        };
        if let Some(post) = PostFrame::parse(frame)
            && post.is_entry
            && !stores.disks[who].has_try(&post.key)
        {
            let detail = format!("session {who}: {}", post.key);
            broken("an attempt is stored before it is sent", detail);
        }
    }

    /// Passes a batch to the store of a session.
    pub(super) fn store(&mut self, who: usize, batch: BatchId, changes: Vec<Change>) {
        let address = self.address(who);
        let now = self.now;
        let slow = self.rng.u64(..60_000);
        let quick = self.rng.u64(..20);
        let Some(stores) = &mut self.stores else {
            return self.store_batch(who, batch, changes);
        };
        for (id, key) in changes.iter().filter_map(disk::saved_key) {
            stores.entries[who].saved(&id, key);
        }
        let disk = &mut stores.disks[who];
        disk.accept(batch, changes);
        let delay = if now < disk.slow_until { slow } else { quick };
        let at = now + Duration::from_millis(delay);
        self.mailbox.put(at, Mail::Write(address));
    }

    /// Writes the oldest batch of a process.
    pub(super) fn write(&mut self, process: Address) {
        if self.at(process).is_none() {
            return;
        }
        let now = self.now;
        let Some(stores) = &mut self.stores else {
            return;
        };
        let written = stores.disks[process.who].write(now, &mut self.rng);
        if let Some((batch, answer)) = written {
            let at = now + Duration::from_millis(self.rng.u64(..5));
            self.mailbox
                .put(at, Mail::StoreAnswer(process, batch, answer));
        }
    }

    pub(super) fn deliver_store_answer(
        &mut self,
        process: Address,
        batch: BatchId,
        answer: StoreAnswer,
    ) {
        if self.at(process).is_none() {
            return;
        }
        let input = match answer {
            StoreAnswer::Stored => Input::Stored { batch },
            StoreAnswer::Full => Input::StoreFailed {
                batch,
                reason: "the disk is full".to_owned(),
            },
        };
        self.input(process.who, input);
    }

    /// Repeats the answer to an earlier batch of a process. Returns `false` if there is none.
    pub(super) fn store_again(&mut self, who: usize) -> bool {
        let stores = self.stores.as_ref();
        let batch = stores.and_then(|stores| stores.disks[who].old_batch());
        if let Some(batch) = batch {
            self.input(who, Input::Stored { batch });
        }
        batch.is_some()
    }

    /// Ends all faults of stores, and answers the unanswered batches.
    pub(super) fn heal_stores(&mut self) {
        let now = self.now;
        for who in 0..self.clients.len() {
            self.clients[who].crash_after = None;
            let Some(stores) = &mut self.stores else {
                return;
            };
            stores.posts.heal(now);
            stores.files.changed_until = now;
            let withheld = stores.disks[who].heal(now);
            if !withheld.is_empty() && self.rng.bool() {
                self.crash(who);
                continue;
            }
            for batch in withheld {
                let process = self.address(who);
                self.mailbox
                    .put(now, Mail::StoreAnswer(process, batch, StoreAnswer::Stored));
            }
        }
    }

    /// Returns `true` if no store and no outbox of a session has something to do. The entries of a
    /// session that has ended wait for the next one.
    pub(super) fn are_stores_settled(&self) -> bool {
        let Some(stores) = &self.stores else {
            return true;
        };
        let is_waiting = |client: &Client| {
            let mut entries = client.session.outbox_entries();
            client.end.is_none()
                && entries.any(|entry| entry.held().is_none() && entry.blocked_by.is_none())
        };
        stores.disks.iter().all(Disk::is_idle) && !self.clients.iter().any(is_waiting)
    }

    /// Checks all entries at a quiescent point. Then their users decide about the held ones.
    pub(super) fn check_entries(&mut self) {
        for who in 0..self.clients.len() {
            if self.clients[who].end.is_some() {
                continue;
            }
            let now = self.clients[who].latest_time(self.now);
            let Some(stores) = &mut self.stores else {
                return;
            };
            let session = &self.clients[who].session;
            let present: BTreeMap<_, _> = session
                .outbox_entries()
                .map(|entry| (entry.id.clone(), talk_proto::outbox::Entry::clone(entry)))
                .collect();
            let failures = stores.disks[who].failures;
            let entries = &mut stores.entries[who];
            entries.check(now, &present, &stores.posts, &stores.files, failures);
            entries.clear();
            for entry in present.values().filter(|entry| entry.held().is_some()) {
                let is_retried = self.rng.bool();
                self.decide(who, entry, is_retried);
            }
            self.drain(who);
        }
    }

    /// Restores a session that has ended, after its store has written everything.
    pub(super) fn end_process(&mut self, who: usize) {
        let now = self.now;
        if let Some(stores) = &mut self.stores {
            stores.disks[who].flush(now);
        }
        self.restart_process(who);
    }

    /// Injects a fault of a store, a process, or the server's keys.
    pub(super) fn apply_store_fault(
        &mut self,
        kind: FaultKind,
        who: usize,
        until: Timestamp,
        dice: &mut Rng,
    ) {
        let Some(stores) = &mut self.stores else {
            return;
        };
        let disk = &mut stores.disks[who];
        match kind {
            FaultKind::Crash => {
                self.clients[who].crash_after = Some(dice.u32(..20));
                if dice.u8(..4) == 0 {
                    self.crash(who);
                }
            }
            FaultKind::StoreSlow => disk.slow_until = until,
            FaultKind::StoreFull => disk.full_until = until,
            FaultKind::StoreSilent => disk.silent_until = until,
            FaultKind::KeysForgotten => {
                stores.posts.forget_keys();
                self.sends.forget_keys();
            }
            FaultKind::FilesChanged => stores.files.changed_until = until,
            FaultKind::TokensExpired => stores.files.expire_tokens(),
            FaultKind::AccessFirst => stores.posts.checks_access_first_until = until,
            _ => stores.posts.normalises_until = until,
        }
    }
}
