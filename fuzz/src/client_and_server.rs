//! Client cores against the server's, in virtual time: the simulation, with the bytes for dice.

use arbitrary::{Arbitrary, Unstructured};

use crate::simulation::{Act, COMMANDS, FaultKind, Phase, What, replay};

/// More acts than this tell nothing new.
const MAX_ACTS: usize = 60;

/// One act on few bytes.
#[derive(Debug, Arbitrary)]
struct Step {
    what: u8,
    phase: u8,
    who: u8,
    after: u8,
    details: u16,
}

/// The first byte makes a world, the rest is what people do in it and what goes wrong. Every rule of
/// the simulation holds.
pub fn client_and_server(data: &[u8]) {
    let [seed, acts @ ..] = data else { return };
    let mut bytes = Unstructured::new(acts);
    let mut acts = Vec::new();
    while !bytes.is_empty() && acts.len() < MAX_ACTS {
        let Ok(step) = Step::arbitrary(&mut bytes) else {
            break;
        };
        acts.push(step.act());
    }
    let outcome = replay((*seed).into(), &acts, false);
    assert_eq!(outcome.failure, None, "after {} steps", outcome.steps);
}

impl Step {
    fn act(&self) -> Act {
        // Mostly together, sometimes seconds apart, seldom a minute.
        let after = u32::from(self.after);
        let after_ms = match after % 4 {
            0 | 1 => after,
            2 => after * 20,
            _ => after * 240,
        };
        Act {
            after_ms,
            who: self.who.into(),
            what: self.what(),
            details: self.details.into(),
        }
    }

    fn what(&self) -> What {
        let what = usize::from(self.what);
        if let Some((_, command)) = COMMANDS.get(what) {
            return What::Command(*command);
        }
        let faults = what - COMMANDS.len();
        let Some(fault) = FaultKind::ALL.get(faults) else {
            return match what % 16 {
                0 => What::Leave,
                1 => What::Quiet,
                n => What::Command(COMMANDS[n].1),
            };
        };
        let phase = usize::from(self.phase) % Phase::ALL.len();
        What::Fault(*fault, Phase::ALL[phase])
    }
}
