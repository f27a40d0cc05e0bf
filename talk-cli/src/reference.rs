//! The reference pages in `docs/`, checked against the code.
//!
//! `TALK_WRITE_DOCS=1 cargo test -p talk-cli reference` writes the generated parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Arg;
use clap::builder::StyledStr;
use serde_json::Value;
use talk_emulator::server::{Fault, FaultKind, Seed, Settings};

use crate::cli::Cli;
use crate::rpc;

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name)
}

/// Compares the part of a page between two markers with the expected text, or writes it.
fn check_part(name: &str, part: &str, expected: &str) {
    let text = fs::read_to_string(page(name)).unwrap();
    let (start, end) = (
        format!("<!-- {part} -->\n"),
        format!("<!-- end of {part} -->"),
    );
    let (head, rest) = text.split_once(&start).unwrap();
    let (old, tail) = rest.split_once(&end).unwrap();
    if std::env::var_os("TALK_WRITE_DOCS").is_some() {
        fs::write(page(name), format!("{head}{start}{expected}{end}{tail}")).unwrap();
    } else {
        let advice = "run `TALK_WRITE_DOCS=1 cargo test -p talk-cli reference`";
        assert!(old == expected, "docs/{name} is out of date: {advice}");
    }
}

#[test]
fn reference_of_rpc_lists_every_call() {
    let table = format!(
        "| call | args | result |\n| --- | --- | --- |\n{}",
        rpc::table()
    );
    check_part("rpc.md", "calls", &table);
}

#[test]
fn reference_of_commands_lists_every_flag() {
    let mut command = Cli::command();
    command.build();
    let mut text = String::new();
    describe(&command, &mut text);
    check_part("cli.md", "commands", &text);
}

fn describe(command: &clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("talk");
    text.push_str(&format!("### `{name}`\n\n"));
    let about = command
        .get_about()
        .map(StyledStr::to_string)
        .unwrap_or_default();
    text.push_str(&format!("{about}.\n\n"));
    let usage = command.clone().render_usage().to_string();
    text.push_str(&format!(
        "```text\n{}\n```\n\n",
        usage.trim_start_matches("Usage: ").trim()
    ));
    let is_root = name == "talk";
    let args = command.get_arguments().filter(|arg| {
        let id = arg.get_id().as_str();
        !arg.is_hide_set()
            && (is_root || !arg.is_global_set())
            && !["help", "version"].contains(&id)
    });
    let rows: Vec<_> = args.map(row).collect();
    if !rows.is_empty() {
        text.push_str(&format!(
            "| argument | meaning |\n| --- | --- |\n{}\n",
            rows.concat()
        ));
    }
    let commands = command
        .get_subcommands()
        .filter(|it| it.get_name() != "help");
    commands.for_each(|subcommand| describe(subcommand, text));
}

fn row(arg: &Arg) -> String {
    let help = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
    let mut notes = vec![help.replace('|', "\\|").replace('\n', " ")];
    let values = arg.get_possible_values();
    let values = values.iter().map(|value| format!("`{}`", value.get_name()));
    let values: Vec<_> = values.collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        notes.push(format!("One of {}", values.join(", ")));
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        notes.push(format!("Default: `{}`", defaults.join(" ")));
    }
    if let Some(variable) = arg.get_env() {
        notes.push(format!("Environment: `{}`", variable.to_string_lossy()));
    }
    let short = arg.get_short().map(|short| format!("-{short}, "));
    let name = format!("{}{arg}", short.unwrap_or_default()).replace('|', "\\|");
    format!("| `{name}` | {} |\n", notes.join(". "))
}

/// Returns the names of all members of a JSON value, with those of nested objects.
fn members(value: &Value, names: &mut Vec<String>) {
    if let Value::Object(object) = value {
        for (name, value) in object {
            names.push(name.clone());
            members(value, names);
        }
    }
}

#[test]
fn reference_of_the_emulator_names_every_setting() {
    let text = fs::read_to_string(page("emulator.md")).unwrap();
    let settings: Settings = serde_json::from_str(
        r#"{
            "secret": "s",
            "roles": {"default": {}},
            "limits": {"maxFileSize": 1, "fileTypes": []},
            "webhooks": {"url": "http://localhost", "events": [], "secret": "s", "notifyAfterMs": 1}
        }"#,
    )
    .unwrap();
    let mut names = Vec::new();
    members(&serde_json::to_value(settings).unwrap(), &mut names);
    let seed: Seed = serde_json::from_str(include_str!("emulator/demo.json")).unwrap();
    let seed = serde_json::to_value(seed).unwrap();
    names.extend(["app", "users", "conversations"].map(str::to_owned));
    for part in [&seed["users"]["alice"], &seed["conversations"][0]] {
        members(part, &mut names);
    }
    let fault = Fault::new(FaultKind::Slow)
        .user("alice")
        .path("/files")
        .after(Duration::from_millis(1))
        .after_bytes(1);
    members(&serde_json::to_value(fault).unwrap(), &mut names);
    for name in names.iter().filter(|name| *name != "default") {
        assert!(
            text.contains(&format!("`{name}`")),
            "docs/emulator.md: {name}"
        );
    }
}

#[test]
fn reference_of_the_emulator_names_every_fault() {
    let text = fs::read_to_string(page("emulator.md")).unwrap();
    let error = serde_json::from_str::<FaultKind>("\"unknown\"")
        .unwrap_err()
        .to_string();
    let (_, kinds) = error.split_once("expected one of ").unwrap();
    let (kinds, _) = kinds.rsplit_once(" at line").unwrap_or((kinds, ""));
    for kind in kinds.split(", ") {
        assert!(text.contains(kind), "docs/emulator.md: {kind}");
    }
}

#[test]
fn reference_examples_of_settings_are_accepted() {
    let text = fs::read_to_string(page("emulator.md")).unwrap();
    let (mut settings, mut seeds, mut faults) = (0, 0, 0);
    for block in text.split("```json\n").skip(1) {
        let (json, _) = block.split_once("```").unwrap();
        let value: Value = serde_json::from_str(json).unwrap();
        if value.get("app").is_some() {
            serde_json::from_value::<Seed>(value).unwrap();
            seeds += 1;
        } else if value.get("kind").is_some() {
            serde_json::from_value::<Fault>(value).unwrap();
            faults += 1;
        } else {
            serde_json::from_value::<Settings>(value).unwrap();
            settings += 1;
        }
    }
    assert!(settings > 0 && seeds > 0 && faults > 0);
}
