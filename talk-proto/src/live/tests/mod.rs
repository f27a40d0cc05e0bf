//! Behaviour of the live half, without a session.

mod bounds;
mod closing;
mod conversation_list;
mod conversation_places;
mod conversations;
mod damaged;
mod first_items;
mod gets;
mod items;
mod kit;
mod linger;
mod lists;
mod messages;
mod quotes;
mod random;
mod ranges;
mod reconnect;
mod refusals;
mod removals;
mod singles;
mod store_set;
mod unreadable;
mod users;
mod views;
mod world;
