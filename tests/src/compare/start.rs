//! Row J: start time, build time and size of programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::cargo::cargo;
use super::rounds::median;
use super::row::Row;
use super::server::Server;

/// The number of starts of each program.
const STARTS: usize = 15;

/// A measured program.
struct Program {
    id: &'static str,
    name: &'static str,
    package: &'static str,
    /// The target in cargo's arguments.
    target: &'static [&'static str],
    /// The arguments that make the program print a snapshot. `HOST` is replaced by the server's
    /// address.
    arguments: &'static [&'static str],
}

const PROGRAMS: [Program; 2] = [
    Program {
        id: "J-least",
        name: "the smallest program with talk-tokio",
        package: "talk-tokio",
        target: &["--example", "first_snapshot"],
        arguments: &["HOST"],
    },
    Program {
        id: "J-talk",
        name: "`talk`",
        package: "talk-cli",
        target: &["--bin", "talk"],
        arguments: &[
            "--app",
            "my_app",
            "--user",
            "alice",
            "--host",
            "HOST",
            "conversations",
        ],
    },
];

/// Measures row J.
pub(super) async fn measure(build: bool) -> Result<Vec<Row>> {
    let server = Server::start("emulator").await?;
    let mut rows = Vec::new();
    for program in &PROGRAMS {
        rows.push(program.measure(&server.host, build).await?);
    }
    Ok(rows)
}

impl Program {
    async fn measure(&self, host: &str, build: bool) -> Result<Row> {
        let path = self.build(None)?;
        let size = fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
        let mut starts = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            starts.push(self.start(&path, host).await?);
        }
        let dependencies = self.dependencies()?;
        let mut what = format!(
            "{}: first snapshot {:.0} ms after its start, {size:.1} MiB, {dependencies} \
             dependencies",
            self.name,
            median(starts) * 1e3,
        );
        if build {
            let folder = tempfile::tempdir()?;
            let start = Instant::now();
            self.build(Some(folder.path()))?;
            what += &format!(
                ", built from scratch in {:.0} s",
                start.elapsed().as_secs_f64()
            );
        }
        Ok(Row::without_goal(self.id, None, what))
    }

    /// Builds the program as users do, and returns its path.
    fn build(&self, folder: Option<&Path>) -> Result<PathBuf> {
        let mut cargo = cargo();
        cargo
            .args(["build", "--release", "--message-format=json"])
            .args(["-p", self.package])
            .args(self.target);
        if let Some(folder) = folder {
            cargo.arg("--target-dir").arg(folder);
        }
        let messages = output(&mut cargo)?;
        let built = messages.lines().rev().find_map(|line| {
            let message: Message = serde_json::from_str(line).ok()?;
            message.executable
        });
        built.with_context(|| format!("cargo built nothing of {}", self.package))
    }

    /// Returns the seconds from the program's start to its first line, which contains a snapshot.
    async fn start(&self, path: &Path, host: &str) -> Result<f64> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| if *argument == "HOST" { host } else { argument });
        let start = Instant::now();
        let mut process = tokio::process::Command::new(path)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("no standard output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        let took = start.elapsed();
        line.with_context(|| format!("{} shows nothing", self.name))?;
        Ok(took.as_secs_f64())
    }

    /// Returns the number of linked crates, without the program's own.
    fn dependencies(&self) -> Result<usize> {
        let mut cargo = cargo();
        cargo.args(["tree", "-p", self.package, "--edges", "normal"]);
        cargo.args(["--prefix", "none", "--format", "{p}"]);
        let tree = output(&mut cargo)?;
        let mut crates: Vec<&str> = tree
            .lines()
            .map(|line| line.trim_end_matches(" (*)"))
            .collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates.len() - 1)
    }
}

/// The needed parts of cargo's messages.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} has failed");
    Ok(String::from_utf8(output.stdout)?)
}
