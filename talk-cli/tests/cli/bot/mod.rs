mod answers;
mod arguments;
mod crashes;
mod failures;
mod support;
