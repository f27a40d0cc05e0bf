mod arguments;
mod calls;
mod ends;
mod outbox;
mod recorded;
mod searches;
mod subscriptions;
mod uploads;
