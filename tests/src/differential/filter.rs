//! Filters for lists of conversations, which concern the data that histories change.

use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::change::{key, optional, value};
use super::random::pick;

/// The greatest distance between the times in filters and the present, in milliseconds: about the
/// length of a history.
const NEAR: u64 = 5_000;

/// Returns a filter in the format of the documented API. Everything except its times follows from
/// the seed; the times are near the present.
pub(super) fn choose(rng: &mut Rng) -> Value {
    if rng.u8(..4) == 0 {
        let some: Vec<_> = (0..rng.usize(1..=3)).map(|_| simple(rng)).collect();
        json!(["any", some])
    } else {
        simple(rng)
    }
}

/// Returns a filter with one or two conditions, all of which must be met.
fn simple(rng: &mut Rng) -> Value {
    let mut filter = Map::new();
    for _ in 0..rng.usize(1..=2) {
        let (name, condition) = condition(rng);
        filter.insert(name.to_owned(), condition);
    }
    filter.into()
}

fn condition(rng: &mut Rng) -> (&'static str, Value) {
    match rng.u8(..11) {
        0..=2 => ("isUnread", json!(rng.bool())),
        3 => ("hasMessages", json!(rng.bool())),
        4 => {
            let operator = *pick(rng, &["==", "!="]);
            let access = *pick(rng, &["Read", "ReadWrite"]);
            ("access", json!([operator, access]))
        }
        5 | 6 => ("subject", texts(rng, |rng| optional(rng, "About "))),
        7 | 8 => {
            let condition = match rng.u8(..4) {
                0 => json!("exists"),
                1 => json!("!exists"),
                _ => texts(rng, |rng| json!(value(rng))),
            };
            ("custom", json!({ key(rng): condition }))
        }
        9 => ("lastActivityAt", times(rng)),
        _ => {
            let name = *pick(rng, &["joinedAt", "createdAt"]);
            (name, times(rng))
        }
    }
}

fn texts(rng: &mut Rng, text: impl Fn(&mut Rng) -> Value) -> Value {
    if rng.bool() {
        let operator = *pick(rng, &["==", "!="]);
        return json!([operator, text(rng)]);
    }
    let operator = *pick(rng, &["oneOf", "!oneOf"]);
    let some: Vec<_> = (0..rng.usize(1..=4)).map(|_| text(rng)).collect();
    json!([operator, some])
}

fn times(rng: &mut Rng) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_millis() as u64);
    let at = now.saturating_sub(NEAR) + rng.u64(..2 * NEAR);
    match rng.u8(..3) {
        0 => {
            let operator = *pick(rng, &["between", "!between"]);
            json!([operator, [at, at + rng.u64(..NEAR)]])
        }
        _ => {
            let operator = *pick(rng, &["<", ">", "<=", ">="]);
            json!([operator, at])
        }
    }
}
