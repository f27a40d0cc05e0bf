//! The shell lines of the documentation, run in order on a fresh emulator.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::support::talk;

/// Returns the pages of the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|it| it == "md")));
    pages.push(root.join("talk-command/README.md"));
    pages
}

/// Returns the contents of the code blocks of a language.
fn blocks(markdown: &str, language: &str) -> String {
    let mut code = String::new();
    let mut inside = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(_), Some(_)) => inside = None,
            (Some(opened), None) => inside = Some(opened == language),
            (None, Some(true)) => code.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    code
}

#[cfg(unix)]
#[test]
fn markdown_shell_lines_run_in_order() {
    for page in pages() {
        let script = blocks(&fs::read_to_string(&page).unwrap(), "sh");
        if script.is_empty() {
            continue;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let script = script.replace("4000", &port.unwrap().port().to_string());
        let folder = tempfile::tempdir().unwrap();
        let talk = talk();
        let binaries = Path::new(talk.get_program()).parent().unwrap();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let output = std::process::Command::new("sh")
            .args(["-eu", "-c", &format!("trap 'kill $!' EXIT\n{script}")])
            .env("PATH", path)
            .env_remove("TALK_TOKEN")
            .env_remove("TALK_SECRET")
            .current_dir(&folder)
            .output()
            .unwrap();
        let page = page.display();
        let [stdout, stderr] = [output.stdout, output.stderr].map(String::from_utf8);
        assert!(
            output.status.success(),
            "{page}:\n{}\n{}",
            stdout.unwrap(),
            stderr.unwrap()
        );
    }
}

#[test]
fn markdown_links_are_absolute() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = [
        "client",
        "command",
        "emulator",
        "proto",
        "tokio",
        "smol",
        "async-std",
        "rest",
        "postgres",
    ];
    let readmes = crates.map(|name| root.join(format!("talk-{name}/README.md")));
    for page in readmes.into_iter().chain(pages()) {
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1);
        for link in links {
            let is_absolute = link.starts_with("https://") || link.starts_with('#');
            assert!(
                is_absolute,
                "{}: {}",
                page.display(),
                link.lines().next().unwrap()
            );
        }
    }
}
