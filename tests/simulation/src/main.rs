//! Runs the simulation and reports failures.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use talk_simulation::{Matrix, Outcome, Runs, Selection, Transcript, shrink};

const USAGE: &str = "\
Usage: simulate [--seed S] [--steps N] [--seeds K | --minutes M] [--threads T]
                [--stores | --bots] [--save FILE]
       simulate --transcript FILE

  --seed S         first seed (default: random)
  --steps N        number of steps of each run (default: 10000)
  --seeds K        number of runs, with the seeds S, S+1 … (default: 1)
  --minutes M      run as many seeds as fit into this time
  --threads T      number of runs in parallel (default: 1)
  --stores         run only seeds of worlds in which the sessions have stores: the seeds with the
                   numbers S, S+1 … among them
  --bots           run worlds of bots
  --save FILE      file for a failure (default: failure.jsonl)
  --transcript F   replay the run in this file and print every event

A seed always results in the same run. A failure is saved at once, then shortened, printed and
saved again. The last line is JSON. Its seed is the failed one, or else the first one:
{\"seed\", \"steps\", \"steps_per_s\", \"faults\", \"failure\"}.";

/// The options of the command line.
struct Options {
    seed: u64,
    steps: u64,
    seeds: u64,
    minutes: Option<u64>,
    threads: usize,
    selection: Selection,
    save: String,
    transcript: Option<String>,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            seed: u64::from(fastrand::u32(..)),
            steps: 10_000,
            seeds: 1,
            minutes: None,
            threads: 1,
            selection: Selection::Sessions,
            save: "failure.jsonl".to_owned(),
            transcript: None,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{name} needs a value\n{USAGE}"))
            };
            match name.as_str() {
                "--seed" => options.seed = value()?.parse()?,
                "--steps" => options.steps = value()?.parse()?,
                "--seeds" => options.seeds = value()?.parse()?,
                "--minutes" => options.minutes = Some(value()?.parse()?),
                "--threads" => options.threads = value()?.parse()?,
                "--stores" => options.selection = Selection::Stores,
                "--bots" => options.selection = Selection::Bots,
                "--save" => options.save = value()?,
                "--transcript" => options.transcript = Some(value()?),
                "--help" => bail!("{USAGE}"),
                _ => bail!("{name} is unknown\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse(std::env::args().skip(1))?;
    match &options.transcript {
        Some(file) => replay_file(file),
        None => run(&options),
    }
}

/// Replays the run in a file, and prints every event.
fn replay_file(file: &str) -> Result<ExitCode> {
    let life = Transcript::parse(&fs::read_to_string(file)?)?;
    let started = Instant::now();
    let outcome = life.world.replay(life.seed, &life.ops, true);
    if let Some(failure) = &outcome.failure {
        println!(
            "step {}: {}\n{}",
            failure.step, failure.rule, failure.detail
        );
    }
    let Outcome { steps, matrix, .. } = &outcome;
    Ok(report(life.seed, *steps, started, matrix, Some(&outcome)))
}

fn run(options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    let minutes = options.minutes;
    let lives = Runs {
        seed: options.seed,
        count: minutes.is_none().then_some(options.seeds),
        within: minutes.map(|minutes| Duration::from_secs(minutes * 60)),
        steps: options.steps,
        threads: options.threads,
        selection: options.selection,
    };
    let mut saved = Ok(());
    let lived = lives.live(|seed, outcome| {
        let ops = outcome.ops.clone();
        saved = save(
            options,
            &Transcript::of_failure(outcome.world, seed, outcome.failure.as_ref(), ops),
        );
    });
    saved?;
    if let Some((seed, outcome)) = &lived.failed {
        report_failure(options, *seed, outcome)?;
    }
    println!("Runs: {}\n\n{}", lived.lives, lived.matrix);
    let failed = lived.failed.as_ref();
    let seed = failed.map_or(options.seed, |(seed, _)| *seed);
    let failed = failed.map(|(_, outcome)| outcome);
    Ok(report(seed, lived.steps, started, &lived.matrix, failed))
}

/// Shortens a failing run, prints it and saves it.
fn report_failure(options: &Options, seed: u64, outcome: &Outcome) -> Result<()> {
    if let Some(failure) = &outcome.failure {
        println!(
            "seed {seed}, step {}: {}\n{}\n",
            failure.step, failure.rule, failure.detail
        );
    }
    let (ops, failure) = shrink(seed, outcome);
    let life = Transcript::of_failure(outcome.world, seed, failure.as_ref(), ops);
    println!(
        "Shortened to {} of {} ops:\n{life}",
        life.ops.len(),
        outcome.ops.len()
    );
    if let Some(failure) = failure {
        println!("There, at step {}: {}", failure.step, failure.detail);
    }
    save(options, &life)?;
    println!("Saved. Replay it with --transcript {}\n", options.save);
    Ok(())
}

fn save(options: &Options, life: &Transcript) -> Result<()> {
    fs::write(&options.save, life.to_string()).context(options.save.clone())
}

fn report(
    seed: u64,
    steps: u64,
    started: Instant,
    matrix: &Matrix,
    outcome: Option<&Outcome>,
) -> ExitCode {
    let faults: BTreeMap<_, _> = matrix.by_kind();
    let failure = outcome.and_then(|outcome| outcome.failure.as_ref());
    let line = json!({
        "seed": seed,
        "steps": steps,
        "steps_per_s": (steps as f64 / started.elapsed().as_secs_f64()).round(),
        "faults": faults,
        "failure": failure.map(|failure| json!({"step": failure.step, "rule": failure.rule})),
    });
    println!("{line}");
    if failure.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
