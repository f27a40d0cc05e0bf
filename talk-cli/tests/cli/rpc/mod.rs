mod arguments;
mod calls;
mod ends;
mod subscriptions;
