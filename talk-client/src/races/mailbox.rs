//! Commands on their way to the driver.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use shuttle::future::block_on;
use shuttle::thread;

use super::in_many_orders;
use crate::handle::{Command, Mailbox, Ticket};

const PER_THREAD: u64 = 3;

fn cancel(ticket: u64) -> Command {
    Command::Cancel {
        ticket: Ticket(ticket),
    }
}

fn ticket(command: &Command) -> u64 {
    match command {
        Command::Cancel { ticket } => ticket.0,
        _ => unreachable!("nothing else was given"),
    }
}

/// Two threads that give commands, and the tickets that each could not give.
fn givers(mailbox: &Arc<Mailbox>) -> [thread::JoinHandle<Vec<u64>>; 2] {
    [0, 100].map(|first| {
        let mailbox = Arc::clone(mailbox);
        thread::spawn(move || {
            let tickets = first..first + PER_THREAD;
            tickets
                .filter_map(|number| mailbox.push(cancel(number)).err())
                .map(|command| ticket(&command))
                .collect()
        })
    })
}

#[test]
fn a_driver_that_sleeps_is_woken_for_every_command() {
    in_many_orders(|| {
        let mailbox = Arc::new(Mailbox::default());
        let givers = givers(&mailbox);
        let mut taken = Vec::new();
        while taken.len() < 2 * PER_THREAD as usize {
            let commands = block_on(poll_fn(|cx| mailbox.poll_take(cx)));
            taken.extend(commands.iter().map(ticket));
        }
        // Those of one thread are in its order.
        let (second, first): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|ticket| *ticket >= 100);
        assert!(first.is_sorted() && second.is_sorted());
        for giver in givers {
            assert!(giver.join().unwrap().is_empty());
        }
    });
}

#[test]
fn a_command_is_taken_or_given_back_and_never_both() {
    in_many_orders(|| {
        let mailbox = Arc::new(Mailbox::default());
        let givers = givers(&mailbox);
        let mut seen = Vec::new();
        let first = block_on(poll_fn(|cx| {
            Poll::Ready(match mailbox.poll_take(cx) {
                Poll::Ready(commands) => commands,
                Poll::Pending => Vec::new(),
            })
        }));
        seen.extend(first.iter().map(ticket));
        seen.extend(mailbox.close().iter().map(ticket));
        for giver in givers {
            seen.extend(giver.join().unwrap());
        }
        assert!(mailbox.close().is_empty());
        seen.sort_unstable();
        let all: Vec<_> = (0..PER_THREAD).chain(100..100 + PER_THREAD).collect();
        assert_eq!(seen, all);
    });
}
