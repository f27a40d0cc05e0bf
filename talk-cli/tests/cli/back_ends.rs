//! The back ends of the examples in other languages, with their own test suites.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::support::Emulator;

/// Runs a suite with an emulator. Without the program, the test is skipped with a message, or fails
/// if `CI=true`.
fn run(program: &str, args: &[&str]) {
    let emulator = Emulator::start(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/back_ends");
    let output = Command::new(program)
        .args(args)
        .current_dir(root)
        .env("TALK_EMULATOR", format!("http://{}", emulator.host))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let is_required = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!is_required, "CI=true, but there is no {program}");
            println!("{program} is not installed, nothing is tested");
            return;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let (out, err) = (&output.stdout, &output.stderr);
    let shown = String::from_utf8_lossy(out) + String::from_utf8_lossy(err);
    assert!(output.status.success(), "{shown}");
    let ran = ["# pass 9\n", "Ran 9 tests"];
    assert!(ran.iter().any(|ran| shown.contains(ran)), "{shown}");
}

#[test]
fn node_suite_passes_with_emulator() {
    run("node", &["--test", "--test-reporter=tap", "node/"]);
}

#[test]
fn python_suite_passes_with_emulator() {
    run("python3", &["-m", "unittest", "discover", "python"]);
}
