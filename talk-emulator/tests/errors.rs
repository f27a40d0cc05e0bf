//! Error chains: each cause is printed once.

#![allow(clippy::disallowed_methods)]

use std::error::Error;
use std::io;

use talk_emulator::server::{Key, Unreadable};
use talk_emulator::{DataError, StartError, Stopped};

const CAUSE: &str = "the innermost cause";

fn io_error() -> io::Error {
    io::Error::other(CAUSE)
}

fn data_errors() -> Vec<DataError> {
    let unreadable = Unreadable {
        key: Key::Settings,
        reason: CAUSE.to_owned(),
    };
    vec![
        DataError::InUse,
        DataError::TooNew(9),
        DataError::SymbolicLink("talk.lock"),
        DataError::Io(io_error()),
        DataError::Database(rusqlite::Error::InvalidParameterName(CAUSE.to_owned())),
        DataError::Unreadable(unreadable),
    ]
}

#[test]
fn error_chain_prints_each_cause_once() {
    let mut errors: Vec<Box<dyn Error>> = vec![
        Box::new(Stopped),
        Box::new(StartError::Listen {
            address: ([127, 0, 0, 1], 4000).into(),
            cause: io_error(),
        }),
        Box::new(StartError::ControlToken),
        Box::new(StartError::Randomness(getrandom::Error::UNSUPPORTED)),
        Box::new(StartError::Thread(io_error())),
        Box::new(StartError::ThreadExited),
    ];
    for (alone, cause) in data_errors().into_iter().zip(data_errors()) {
        errors.push(Box::new(alone));
        errors.push(Box::new(StartError::Data {
            folder: "data".into(),
            cause: Box::new(cause),
        }));
    }
    for error in errors {
        check_chain(error.as_ref());
    }
}

fn check_chain(error: &dyn Error) {
    let mut chain = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    let printed = chain.join(": ");
    for message in &chain {
        assert_eq!(printed.matches(message.as_str()).count(), 1, "{chain:?}");
    }
    assert!(printed.matches(CAUSE).count() <= 1, "{chain:?}");
}
