//! A PostgreSQL server of a test, in a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// A running server. Dropping it kills the server.
pub(crate) struct Server {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl Server {
    /// Starts a server. Returns `None` if PostgreSQL is not installed; with `CI=true` that is a
    /// failure.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(
                env::var_os("CI").is_none_or(|ci| ci != "true"),
                "CI needs PostgreSQL"
            );
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Self {
            programs,
            folder,
            port,
            process: None,
        };
        give_away(server.folder.path());
        let mut init = server.command("initdb");
        init.args([
            "--auth=trust",
            "--username=talk",
            "--no-sync",
            "--encoding=UTF8",
            "--pgdata",
        ]);
        let output = init.arg(server.data()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        server.run();
        Some(server)
    }

    /// Starts the server again.
    pub(crate) fn run(&mut self) {
        let mut server = self.command("postgres");
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c"]);
        server.arg(format!(
            "unix_socket_directories={}",
            self.folder.path().display()
        ));
        server.args(["-p", &self.port.to_string(), "-D"]);
        server
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.process = Some(server.spawn().unwrap());
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
        while !self.sql("SELECT 1") {
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the server at once, with all connections.
    pub(crate) fn stop(&mut self) {
        if self.process.is_some() {
            let mut stop = self.command("pg_ctl");
            stop.args(["stop", "--mode=immediate", "--pgdata"])
                .arg(self.data());
            let output = stop.output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        if let Some(mut process) = self.process.take() {
            process.wait().unwrap();
        }
    }

    /// Executes a statement. Returns `true` on success.
    pub(crate) fn sql(&self, statement: &str) -> bool {
        self.psql(statement).status.success()
    }

    /// Returns the process IDs of the connections for records, ordered by their last use.
    #[cfg(unix)]
    pub(crate) fn connections(&self) -> Vec<String> {
        let stores = "SELECT pid FROM pg_stat_activity
            WHERE application_name = 'talk' AND query LIKE '%talk_record%' ORDER BY query_start";
        let output = String::from_utf8(self.psql(stores).stdout).unwrap();
        output.lines().map(str::to_owned).collect()
    }

    fn psql(&self, statement: &str) -> Output {
        let mut psql = self.command("psql");
        psql.args([
            "--quiet",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command",
            statement,
            &self.address(),
        ]);
        psql.output().unwrap()
    }

    pub(crate) fn address(&self) -> String {
        format!("postgres://talk@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = Command::new(if path.exists() { path } else { program.into() });
        command.current_dir(self.folder.path());
        #[cfg(unix)]
        if let Some((user, group)) = user() {
            use std::os::unix::process::CommandExt;
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Returns the folder of the programs of the server, which is often not in the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = versions.flatten().map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = installed.chain(env::split_paths(&path).collect::<Vec<_>>());
    folders.find(|folder| folder.join("initdb").exists())
}

/// Returns the user and the group that the server needs, because it refuses to run as root.
fn user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout)
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    };
    (id(&["-u"]) == Some(0)).then_some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn signal(name: &str, process: &str) {
    let signal = format!("-{name}");
    let status = Command::new("kill")
        .args([signal.as_str(), process])
        .status();
    assert!(status.unwrap().success());
}

/// Gives a folder to the user of the server.
pub(crate) fn give_away(folder: &Path) {
    #[cfg(unix)]
    if let Some((user, group)) = user() {
        std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = folder;
}
