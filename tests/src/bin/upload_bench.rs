//! Measures the speed and memory of a large upload, compared with `curl -F`.
//!
//! ```text
//! cargo run --release -p talk-tests --bin upload_bench [-- --mib 2048 --rounds 3]
//! ```
//!
//! Uploads a sparse file to an emulator in a child process, alternately with this library and with
//! curl. Each upload has a fresh emulator. Fails if our best speed is below 0.85 × curl's best
//! speed, or if an upload adds more than 32 MiB to the memory of its process.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use talk_emulator::Emulator;
use talk_tokio::{TalkOptions, UploadSource, get_talk_session};

/// The command-line arguments that select the role of a child process.
const EMULATOR: &str = "emulator";
const UPLOAD: &str = "upload";

/// The required share of curl's speed.
const ENOUGH: f64 = 0.85;

/// The memory limit of an upload, in KiB.
const MEMORY: u64 = 32 << 10;

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [EMULATOR] => be_emulator()?,
        [UPLOAD, host, path] => upload(host, Path::new(path))?,
        options => return bench(options),
    }
    Ok(ExitCode::SUCCESS)
}

fn bench(options: &[&str]) -> Result<ExitCode> {
    let (mut mib, mut rounds) = (2048, 3);
    for option in options.chunks(2) {
        match option {
            ["--mib", value] => mib = value.parse()?,
            ["--rounds", value] => rounds = value.parse()?,
            other => bail!("unknown option {other:?}"),
        }
    }
    let size: u64 = mib << 20;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sparse.bin");
    File::create(&path)?.set_len(size)?;
    // The first reader of a sparse file waits until the system has created its pages. This read
    // keeps that time out of the measurement.
    io::copy(&mut File::open(&path)?, &mut io::sink())?;

    let (mut ours, mut curls, mut memory) = (Duration::MAX, Duration::MAX, 0);
    for round in 1..=rounds {
        let (took, grown) = with_emulator(|host| by_us(host, &path))?;
        let curl = with_emulator(|host| by_curl(host, &path))?;
        println!(
            "round {round}: talk {:.0} MiB/s in {:.1} MiB above idle, curl {:.0} MiB/s",
            speed(mib, took),
            grown as f64 / 1024.0,
            speed(mib, curl),
        );
        ours = ours.min(took);
        curls = curls.min(curl);
        memory = memory.max(grown);
    }
    let ratio = curls.as_secs_f64() / ours.as_secs_f64();
    println!(
        "{mib} MiB: {ratio:.2} x curl -F, at most {:.1} MiB above idle",
        memory as f64 / 1024.0
    );
    Ok(if ratio >= ENOUGH && memory < MEMORY {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn speed(mib: u64, took: Duration) -> f64 {
    mib as f64 / took.as_secs_f64()
}

/// Returns a command that runs this program.
fn run_self() -> Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// A process that is killed on drop.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_emulator<T>(test: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let child = run_self()?.arg(EMULATOR).stdout(Stdio::piped()).spawn()?;
    let mut process = Process(child);
    let output = process.0.stdout.take().context("no output")?;
    let mut host = String::new();
    BufReader::new(output).read_line(&mut host)?;
    test(host.trim_end())
}

fn be_emulator() -> Result<()> {
    let emulator = Emulator::start_blocking()?;
    println!("{}", emulator.host());
    // The parent process kills this one.
    loop {
        std::thread::park();
    }
}

/// Returns the duration of our upload, and the growth of its process in KiB.
fn by_us(host: &str, path: &Path) -> Result<(Duration, u64)> {
    let output = run_self()?
        .arg(UPLOAD)
        .arg(host)
        .arg(path)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "our upload has failed");
    let text = String::from_utf8(output.stdout)?;
    let (micros, grown) = text.trim().split_once(' ').context(text.clone())?;
    Ok((Duration::from_micros(micros.parse()?), grown.parse()?))
}

fn by_curl(host: &str, path: &Path) -> Result<Duration> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--output"])
        .args(["/dev/null", "--write-out", "%{time_total}"])
        .args(["--header", "Authorization: Bearer any", "--form"])
        .arg(format!("file=@{}", path.display()))
        .arg(format!("http://{host}/public_api/v1/app/files"))
        .stderr(Stdio::inherit())
        .output()
        .context("curl cannot be run")?;
    ensure!(output.status.success(), "curl's upload has failed");
    let seconds: f64 = String::from_utf8(output.stdout)?.parse()?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Uploads a file and prints the time in µs and the growth in KiB.
#[tokio::main(flavor = "current_thread")]
async fn upload(host: &str, path: &Path) -> Result<()> {
    let session = get_talk_session(TalkOptions::new("app", "alice")?.host(host))?;
    // The first upload opens the connection and starts the reader threads before the memory is
    // measured.
    session.upload_file(b"idle".to_vec(), "idle").await?;
    let before = memory("VmRSS")?;
    let size = fs::metadata(path)?.len();
    let start = Instant::now();
    let upload = session.upload_file(UploadSource::file(path), "sparse.bin");
    let progress = upload.progress().map(|progress| progress.sent);
    let (token, told) = tokio::join!(upload, progress.collect::<Vec<_>>());
    let took = start.elapsed();
    token?;
    ensure!(told.is_sorted(), "the progress goes back");
    ensure!(told.last() == Some(&size), "the progress does not end");
    ensure!(told.len() <= 210, "the progress is reported too often");
    println!(
        "{} {}",
        took.as_micros(),
        memory("VmHWM")?.saturating_sub(before)
    );
    Ok(())
}

/// Returns a figure of `/proc/self/status` in KiB.
fn memory(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| *key == name).context("no memory")?;
    let value = value.trim().trim_end_matches(" kB");
    Ok(value.parse()?)
}
