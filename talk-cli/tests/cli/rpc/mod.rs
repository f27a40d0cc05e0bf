mod arguments;
mod calls;
mod ends;
mod searches;
mod subscriptions;
mod uploads;
