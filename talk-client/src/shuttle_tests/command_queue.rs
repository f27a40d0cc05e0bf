//! A [`CommandQueue`] with concurrent senders.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use shuttle::future::block_on;
use shuttle::thread;

use super::check_interleavings;
use crate::handle::{Command, CommandQueue, LocalId};

const PER_THREAD: u64 = 3;

fn cancel(id: u64) -> Command {
    Command::Cancel { id: LocalId(id) }
}

fn id(command: &Command) -> u64 {
    match command {
        Command::Cancel { id } => id.0,
        _ => unreachable!("only cancellations are pushed"),
    }
}

/// Spawns two threads that push commands and return the IDs of the rejected ones.
fn senders(queue: &Arc<CommandQueue>) -> [thread::JoinHandle<Vec<u64>>; 2] {
    [0, 100].map(|first| {
        let queue = Arc::clone(queue);
        thread::spawn(move || {
            let ids = first..first + PER_THREAD;
            ids.filter_map(|number| queue.push(cancel(number)).err())
                .map(|command| id(&command))
                .collect()
        })
    })
}

#[test]
fn queue_push_wakes_sleeping_driver() {
    check_interleavings(|| {
        let queue = Arc::new(CommandQueue::default());
        let senders = senders(&queue);
        let mut taken = Vec::new();
        while taken.len() < 2 * PER_THREAD as usize {
            let commands = block_on(poll_fn(|cx| queue.poll_commands(cx)));
            taken.extend(commands.iter().map(id));
        }
        // The commands of one thread keep their order.
        let (second, first): (Vec<_>, Vec<_>) = taken.into_iter().partition(|id| *id >= 100);
        assert!(first.is_sorted() && second.is_sorted());
        for sender in senders {
            assert!(sender.join().unwrap().is_empty());
        }
    });
}

#[test]
fn queue_close_returns_each_command_once() {
    check_interleavings(|| {
        let queue = Arc::new(CommandQueue::default());
        let senders = senders(&queue);
        let mut seen = Vec::new();
        let first = block_on(poll_fn(|cx| {
            Poll::Ready(match queue.poll_commands(cx) {
                Poll::Ready(commands) => commands,
                Poll::Pending => Vec::new(),
            })
        }));
        seen.extend(first.iter().map(id));
        seen.extend(queue.close().iter().map(id));
        for sender in senders {
            seen.extend(sender.join().unwrap());
        }
        assert!(queue.close().is_empty());
        seen.sort_unstable();
        let all: Vec<_> = (0..PER_THREAD).chain(100..100 + PER_THREAD).collect();
        assert_eq!(seen, all);
    });
}
