//! Child processes that run this program in another role.

use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};

/// A process of this program in another role. It reads and writes lines, and is killed on drop.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts the process with the given arguments.
    ///
    /// # Errors
    ///
    /// If the process cannot be started.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = process.stdin.take().context("no standard input")?;
        let output = process.stdout.take().context("no standard output")?;
        Ok(Self {
            process,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    /// Writes a line to the process.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub async fn write_line(&mut self, line: &str) -> Result<()> {
        Ok(self.input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Reads a line from the process.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub async fn read_line(&mut self) -> Result<String> {
        let line = self.output.next_line().await?;
        line.context("a process of this program has ended")
    }

    /// Writes a line to the process and reads a line from it.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub async fn ask(&mut self, line: &str) -> Result<String> {
        self.write_line(line).await?;
        self.read_line().await
    }

    /// Kills the process and waits for its end.
    ///
    /// # Errors
    ///
    /// If the process cannot be killed.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}
