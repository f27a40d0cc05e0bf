//! Behaviour of the live half, without a session.

mod conversations;
mod gets;
mod kit;
mod linger;
mod lists;
mod messages;
mod quotes;
mod reconnect;
mod singles;
mod users;
