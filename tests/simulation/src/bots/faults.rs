//! Faults of processes and of their database.

use std::time::Duration;

use fastrand::Rng;
use talk_proto::Timestamp;

use crate::fault_kind::FaultKind;
use crate::world::World;

impl World {
    /// Injects a fault of a process or of its database. Returns `false` for other faults.
    pub(crate) fn apply_bot_fault(
        &mut self,
        kind: FaultKind,
        who: usize,
        until: Timestamp,
        dice: &mut Rng,
    ) -> bool {
        let now = self.now;
        let is_asleep = self.nets[who].asleep_until > now;
        let Some(process) = self.process(who) else {
            return false;
        };
        let path = &mut process.path;
        match kind {
            FaultKind::DatabaseDown => path.down_until = until,
            FaultKind::DatabaseSlow => {
                path.slow_until = until;
                path.spares_leases = dice.bool();
            }
            FaultKind::DatabaseSilent => {
                path.silent_until = until;
                path.spares_leases = dice.bool();
            }
            FaultKind::Suspend => {
                let longest = [2, 20, 60][dice.usize(..3)];
                let time = Duration::from_millis(dice.u64(100..longest * 1_000));
                // The monotonic clock stands still if the whole machine is suspended.
                if dice.bool() {
                    process.stood_still += time;
                }
                self.sleep(who, now + time);
            }
            FaultKind::Crash => {
                self.clients[who].crash_after = Some(dice.u32(..20));
                if dice.u8(..4) == 0 {
                    self.crash(who);
                }
            }
            FaultKind::Exit | FaultKind::Reopen if is_asleep => {}
            FaultKind::Exit => self.shut_down(who),
            FaultKind::Reopen => self.reopen_inbox(who),
            _ => return false,
        }
        true
    }

    /// Ends all faults of processes and databases.
    pub(super) fn heal_bots(&mut self) {
        let now = self.now;
        for client in &mut self.clients {
            client.crash_after = None;
        }
        let Some(bots) = &mut self.bots else {
            return;
        };
        for process in &mut bots.processes {
            process.path = Default::default();
            process.handlers.hurry(now);
        }
    }
}
