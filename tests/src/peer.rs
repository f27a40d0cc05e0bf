//! The published JavaScript client, run by Node from `tests/interop`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::npm_package::NpmPackage;

/// The published client, installed.
#[derive(Debug, Clone)]
pub struct Peer {
    package: NpmPackage,
}

impl Peer {
    /// Installs the client. Without Node, returns `None` as [`NpmPackage::install`] does.
    ///
    /// # Errors
    ///
    /// If the client cannot be installed.
    pub fn install() -> Result<Option<Self>> {
        Ok(NpmPackage::install("interop")?.map(|package| Self { package }))
    }

    /// Returns a command that runs one of the scripts.
    pub fn script(&self, name: &str) -> Command {
        self.package.script(name)
    }

    /// Starts a session of the published client that a test can control.
    ///
    /// # Errors
    ///
    /// If Node cannot be started.
    pub fn drive(&self, host: &str, app: &str, user: &str) -> Result<Driver> {
        let mut child = self
            .script("driver.mjs")
            .args(["--host", host, "--app", app, "--user", user])
            .spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        Ok(Driver {
            _child: child,
            input,
            lines: BufReader::new(output).lines(),
            last_id: 0,
            answers: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
        })
    }
}

/// A session of the published client, controlled by lines in the format of `talk rpc`.
#[derive(Debug)]
pub struct Driver {
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    last_id: u64,
    answers: BTreeMap<u64, Answer>,
    subscriptions: BTreeMap<u64, Value>,
}

/// The outcome of a call: its result, or the error of its error line.
pub type Answer = Result<Value, Value>;

impl Driver {
    /// Makes a call and waits for its answer.
    ///
    /// # Errors
    ///
    /// If the client has exited. The inner result is the outcome of the call.
    pub async fn call(&mut self, call: &str, args: Value) -> Result<Answer> {
        let id = self.start(call, args).await?;
        self.answer(id).await
    }

    /// Starts a call and returns its number without waiting for the answer.
    ///
    /// # Errors
    ///
    /// If the client has exited.
    pub async fn start(&mut self, call: &str, args: Value) -> Result<u64> {
        self.last_id += 1;
        let line = json!({ "id": self.last_id, "call": call, "args": args });
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(self.last_id)
    }

    /// Waits for the answer to a call.
    ///
    /// # Errors
    ///
    /// If the client has exited.
    pub async fn answer(&mut self, id: u64) -> Result<Answer> {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return Ok(answer);
            }
            self.read_line().await?;
        }
    }

    /// Subscribes and returns the subscription's number.
    ///
    /// # Errors
    ///
    /// If the client has exited or the call fails.
    pub async fn subscribe(&mut self, call: &str, args: Value) -> Result<u64> {
        match self.call(call, args).await? {
            Ok(result) => result["subscription"].as_u64().context("no number"),
            Err(error) => bail!("{call} was refused: {error}"),
        }
    }

    /// Waits until the latest line of a subscription satisfies `holds`, and returns the line.
    ///
    /// # Errors
    ///
    /// If the client has exited.
    pub async fn until(
        &mut self,
        subscription: u64,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        loop {
            if let Some(line) = self.subscriptions.get(&subscription)
                && holds(line)
            {
                return Ok(line.clone());
            }
            self.read_line().await?;
        }
    }

    async fn read_line(&mut self) -> Result<()> {
        let line = self.lines.next_line().await?.context("it has exited")?;
        let line: Value = serde_json::from_str(&line).context(line)?;
        if let Some(subscription) = line["subscription"].as_u64() {
            self.subscriptions.insert(subscription, line);
        } else if let Some(id) = line["id"].as_u64() {
            let answer = match line.get("error") {
                Some(error) => Err(error.clone()),
                None => Ok(line["result"].clone()),
            };
            self.answers.insert(id, answer);
        }
        Ok(())
    }
}
