//! This program once more, as a process of its own.

use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};

/// This program in another role. It reads lines and writes lines, and is killed when it is dropped.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts it with these arguments.
    ///
    /// # Errors
    ///
    /// When the system does not let it start.
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

    /// Writes a line to it.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn tell(&mut self, line: &str) -> Result<()> {
        Ok(self.input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Reads a line from it.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn hear(&mut self) -> Result<String> {
        let line = self.output.next_line().await?;
        line.context("a process of this program has ended")
    }

    /// Writes a line, and reads one.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn ask(&mut self, line: &str) -> Result<String> {
        self.tell(line).await?;
        self.hear().await
    }

    /// Kills it, and waits for its end.
    ///
    /// # Errors
    ///
    /// When the system does not let it be killed.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}
