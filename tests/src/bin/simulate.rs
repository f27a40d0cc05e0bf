//! Lives lives in the simulation, and says what went wrong.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use talk_tests::simulation::{Life, Matrix, Outcome, live, replay, shrink};

const USAGE: &str = "\
Usage: simulate [--seed S] [--steps N] [--seeds K | --minutes M] [--save FILE]
       simulate --transcript FILE

  --seed S         the first seed (default: one that nobody chose)
  --steps N        steps of each life (default 10000)
  --seeds K        how many lives, of seeds S, S+1 … (default 1)
  --minutes M      as many lives as fit into this time
  --save FILE      where a failure is written, shortened (default: failure.jsonl)
  --transcript F   live the life that is written there, and print everything that happens

A failure is shortened and printed. The last line is JSON:
{\"seed\", \"steps\", \"steps_per_s\", \"faults\", \"failure\"}.";

/// What the command line says.
struct Options {
    seed: u64,
    steps: u64,
    seeds: u64,
    minutes: Option<u64>,
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
            save: "failure.jsonl".to_owned(),
            transcript: None,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{name} what?\n{USAGE}"))
            };
            match name.as_str() {
                "--seed" => options.seed = value()?.parse()?,
                "--steps" => options.steps = value()?.parse()?,
                "--seeds" => options.seeds = value()?.parse()?,
                "--minutes" => options.minutes = Some(value()?.parse()?),
                "--save" => options.save = value()?,
                "--transcript" => options.transcript = Some(value()?),
                "--help" => bail!("{USAGE}"),
                _ => bail!("{name} is not known\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse(std::env::args().skip(1))?;
    match &options.transcript {
        Some(file) => {
            let life = Life::parse(&fs::read_to_string(file)?)?;
            let started = Instant::now();
            let outcome = replay(life.seed, &life.acts, true);
            if let Some(failure) = &outcome.failure {
                println!(
                    "step {}: {}\n{}",
                    failure.step, failure.rule, failure.detail
                );
            }
            Ok(report(
                life.seed,
                outcome.steps,
                started,
                &outcome.matrix,
                &outcome,
            ))
        }
        None => run(&options),
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    let until = options
        .minutes
        .map(|minutes| Duration::from_secs(minutes * 60));
    let (mut seed, mut steps, mut matrix) = (options.seed, 0, Matrix::default());
    loop {
        let outcome = live(seed, options.steps);
        steps += outcome.steps;
        matrix.add(&outcome.matrix);
        let is_last = match until {
            Some(time) => started.elapsed() >= time,
            None => seed - options.seed + 1 >= options.seeds,
        };
        if outcome.failure.is_some() {
            write_down(options, seed, &outcome)?;
        } else if !is_last {
            seed += 1;
            continue;
        }
        println!("{matrix}");
        return Ok(report(seed, steps, started, &matrix, &outcome));
    }
}

/// Shortens a failing life, prints it and saves it.
fn write_down(options: &Options, seed: u64, outcome: &Outcome) -> Result<()> {
    let (acts, failure) = shrink(seed, outcome);
    if let Some(failure) = &outcome.failure {
        println!(
            "seed {seed}, step {}: {}\n{}\n",
            failure.step, failure.rule, failure.detail
        );
    }
    let life = Life::of_failure(seed, failure.as_ref(), acts);
    println!(
        "Shortened to {} of {} acts:\n{life}",
        life.acts.len(),
        outcome.acts.len()
    );
    if let Some(failure) = failure {
        println!("There, at step {}: {}", failure.step, failure.detail);
    }
    fs::write(&options.save, life.to_string()).context(options.save.clone())?;
    println!("Saved; live it again with --transcript {}\n", options.save);
    Ok(())
}

fn report(seed: u64, steps: u64, started: Instant, matrix: &Matrix, outcome: &Outcome) -> ExitCode {
    let faults: BTreeMap<_, _> = matrix.by_kind();
    let failure = outcome.failure.as_ref();
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
