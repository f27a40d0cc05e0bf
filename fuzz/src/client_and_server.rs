//! Fuzz target for client cores connected to the server's core in virtual time: the simulation,
//! with the input as its random numbers.

use arbitrary::{Arbitrary, Unstructured};

use talk_simulation::{COMMANDS, FaultKind, Op, OpKind, Phase, replay};

/// The maximum number of operations of a run. Longer runs find nothing new.
const MAX_OPS: usize = 60;

/// An operation, decoded from few bytes.
#[derive(Debug, Arbitrary)]
struct Step {
    what: u8,
    phase: u8,
    session: u8,
    after: u8,
    details: u16,
}

/// Creates a world from the first byte and applies the remaining bytes as operations and faults.
/// Every invariant of the simulation must hold.
pub fn client_and_server(data: &[u8]) {
    let [seed, ops @ ..] = data else { return };
    let mut bytes = Unstructured::new(ops);
    let mut ops = Vec::new();
    while !bytes.is_empty() && ops.len() < MAX_OPS {
        let Ok(step) = Step::arbitrary(&mut bytes) else {
            break;
        };
        ops.push(step.op());
    }
    let outcome = replay((*seed).into(), &ops, false);
    assert_eq!(outcome.failure, None, "after {} steps", outcome.steps);
}

impl Step {
    fn op(&self) -> Op {
        // Most operations follow each other at once, some after seconds, a few after a minute.
        let after = u32::from(self.after);
        let after_ms = match after % 4 {
            0 | 1 => after,
            2 => after * 20,
            _ => after * 240,
        };
        Op {
            after_ms,
            session: self.session.into(),
            kind: self.kind(),
            details: self.details.into(),
        }
    }

    fn kind(&self) -> OpKind {
        let what = usize::from(self.what);
        if let Some((_, command)) = COMMANDS.get(what) {
            return OpKind::Command(*command);
        }
        let faults = what - COMMANDS.len();
        let Some(fault) = FaultKind::ALL.get(faults) else {
            return match what % 16 {
                0 => OpKind::Leave,
                1 => OpKind::Quiesce,
                n => OpKind::Command(COMMANDS[n].1),
            };
        };
        let phase = usize::from(self.phase) % Phase::ALL.len();
        OpKind::Fault(*fault, Phase::ALL[phase])
    }
}
