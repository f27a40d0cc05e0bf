//! Client cores against the server's, in virtual time: the simulation, with the bytes for dice.

use arbitrary::{Arbitrary, Unstructured};

use crate::simulation::{COMMANDS, FaultKind, Op, OpKind, Phase, replay};

/// More acts than this tell nothing new.
const MAX_OPS: usize = 60;

/// One act on few bytes.
#[derive(Debug, Arbitrary)]
struct Step {
    what: u8,
    phase: u8,
    session: u8,
    after: u8,
    details: u16,
}

/// The first byte makes a world, the rest is what people do in it and what goes wrong. Every rule
/// of the simulation holds.
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
        // Mostly together, sometimes seconds apart, seldom a minute.
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
