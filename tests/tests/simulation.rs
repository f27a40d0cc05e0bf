//! Lives of a few seeds in the simulation, and those that once broke a rule. The command
//! `simulate` lives many more.

use std::path::Path;

use talk_tests::simulation::{FaultKind, Matrix, Phase, Runs, Transcript, live, replay};

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[test]
fn lives_of_fixed_seeds_break_no_rule() {
    let mut matrix = Matrix::default();
    for seed in 0..8 {
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
fn a_life_is_the_same_each_time_and_can_be_written_down() -> Outcome {
    let first = live(5, 1_500);
    let again = live(5, 1_500);
    assert_eq!(first.ops, again.ops);
    assert_eq!(first.steps, again.steps);
    let written = Transcript::of_failure(5, None, first.ops).to_string();
    let read = Transcript::parse(&written)?;
    assert_eq!(replay(read.seed, &read.ops, false).steps, first.steps);
    Ok(())
}

#[test]
fn lives_that_are_lived_at_a_time_are_those_that_are_lived_one_after_the_other() {
    let lives = |threads| Runs {
        seed: 20,
        count: Some(4),
        within: None,
        steps: 500,
        threads,
    };
    let [together, alone] = [3, 1].map(|threads| lives(threads).live(|_, _| ()));
    assert_eq!((together.lives, alone.lives), (4, 4));
    assert_eq!(together.steps, alone.steps);
    assert_eq!(together.matrix, alone.matrix);
}

#[test]
fn lives_that_once_broke_a_rule_break_none() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut lives = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let life = Transcript::parse(&std::fs::read_to_string(&path)?)?;
        let outcome = replay(life.seed, &life.ops, false);
        assert_eq!(outcome.failure, None, "{}", path.display());
        lives += 1;
    }
    assert!(lives > 0);
    Ok(())
}
