//! Simulation runs of a few seeds, and of recorded runs that once broke an invariant. The command
//! `simulate` runs many more.

use std::path::Path;

use talk_simulation::{FaultKind, Matrix, Phase, Runs, Selection, Transcript, WorldKind, live};

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[test]
fn simulation_fixed_seeds_hold() {
    let mut matrix = Matrix::default();
    for seed in 0..16 {
        let outcome = live(seed, 3_000);
        assert_eq!(outcome.failure, None, "seed {seed}");
        assert!(outcome.steps >= 3_000);
        matrix.add(&outcome.matrix);
    }
    for kind in FaultKind::ALL {
        let phases = Phase::ALL.iter();
        let count: u64 = phases.map(|phase| matrix.get(*kind, *phase)).sum();
        assert!(count > 0, "{kind:?} never struck");
    }
}

#[test]
fn bots_fixed_seeds_hold() {
    let mut matrix = Matrix::default();
    for seed in 0..8 {
        let outcome = WorldKind::Bots.live(seed, 2_000);
        assert_eq!(outcome.failure, None, "seed {seed}");
        assert!(outcome.steps >= 2_000);
        matrix.add(&outcome.matrix);
    }
    for kind in FaultKind::OF_BOTS {
        let phases = Phase::ALL.iter();
        let count: u64 = phases.map(|phase| matrix.get(*kind, *phase)).sum();
        assert!(count > 0, "{kind:?} never struck");
    }
}

#[test]
fn simulation_is_deterministic_and_replayable() -> Outcome {
    for world in [WorldKind::Sessions, WorldKind::Bots] {
        let first = world.live(5, 1_500);
        let again = world.live(5, 1_500);
        assert_eq!(first.ops, again.ops);
        assert_eq!(first.steps, again.steps);
        let written = Transcript::of_failure(world, 5, None, first.ops).to_string();
        let read = Transcript::parse(&written)?;
        let replayed = read.world.replay(read.seed, &read.ops, false);
        assert_eq!(replayed.steps, first.steps);
    }
    Ok(())
}

#[test]
fn runs_in_parallel_equal_runs_in_sequence() {
    let lives = |threads| Runs {
        seed: 20,
        count: Some(4),
        within: None,
        steps: 500,
        threads,
        selection: Selection::Sessions,
    };
    let [together, alone] = [3, 1].map(|threads| lives(threads).live(|_, _| ()));
    assert_eq!((together.lives, alone.lives), (4, 4));
    assert_eq!(together.steps, alone.steps);
    assert_eq!(together.matrix, alone.matrix);
}

#[test]
fn simulation_saved_transcripts_hold() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut lives = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let life = Transcript::parse(&std::fs::read_to_string(&path)?)?;
        let outcome = life.world.replay(life.seed, &life.ops, false);
        assert_eq!(outcome.failure, None, "{}", path.display());
        lives += 1;
    }
    assert!(lives > 0);
    Ok(())
}
