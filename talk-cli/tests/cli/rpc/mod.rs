mod arguments;
mod calls;
mod ends;
mod recorded;
mod searches;
mod subscriptions;
mod uploads;
