//! The cost of a start from records.

use crate::callgrind::per_frame;
use crate::durable::{MISSED, Start};
use crate::support::table::Row;
use crate::work::Work;

const ENTRIES: u64 = 10_000;
/// The number of messages of a count.
const MESSAGES: u64 = 200;

/// Measures the rows.
pub(crate) fn measure() -> Result<Vec<Row>, String> {
    let restored = count(Start::Outbox, ENTRIES)?;
    let read = count(Start::OutboxValue, ENTRIES)?;
    let mut rows = vec![Row {
        id: "O-restore",
        what: format!(
            "a start with {ENTRIES} entries in the outbox, against reading their records into \
             Value ({restored:.0} : {read:.0})"
        ),
        ratio: restored / read,
        // The goal is 1.5. The cost must not rise further.
        goal: Some(1.8),
    }];
    let [few, many] = [10, ENTRIES].map(|queued| per_frame(Work::Enqueue(queued), MESSAGES));
    let (few, many) = (few?, many?);
    rows.push(Row {
        id: "O-enqueue",
        what: format!(
            "a message into the outbox, {ENTRIES} entries of its conversation queued against 10 \
             ({many:.0} : {few:.0})"
        ),
        ratio: many / few,
        goal: Some(1.5),
    });
    // The goal of many conversations is 1.5. The cost must not rise further.
    for (id, conversations, goal) in [("P-many", 100, 1.7), ("P-one", 1, 2.2)] {
        let handled = count(Start::Inbox, conversations)?;
        let read = count(Start::InboxValue, conversations)?;
        let places = match conversations {
            1 => "one conversation".to_owned(),
            many => format!("{many} conversations"),
        };
        rows.push(Row {
            id,
            what: format!(
                "{MISSED} missed messages in {places} delivered and acknowledged, against reading \
                 the pages once into Value ({handled:.0} : {read:.0})"
            ),
            ratio: handled / read,
            goal: Some(goal),
        });
    }
    Ok(rows)
}

fn count(start: Start, count: u64) -> Result<f64, String> {
    per_frame(Work::Start(start, count), 1)
}
