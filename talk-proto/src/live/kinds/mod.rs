//! Kinds of entities and user lists: the effect of events on them, and their snapshots.

pub(super) mod online;
pub(super) mod participants;
pub(super) mod reactions;
pub(super) mod typing;
