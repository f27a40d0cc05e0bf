use crate::support::talk;

#[test]
fn version_states_independence() {
    let output = talk().arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(concat!("talk ", env!("CARGO_PKG_VERSION"), "\n")));
    assert!(text.contains("independent, unofficial client"), "{text}");

    let output = talk().arg("-V").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, concat!("talk ", env!("CARGO_PKG_VERSION"), "\n"));
}
