//! Masks of private words.

use super::Mask;

fn text(text: &str) -> Mask {
    let mut mask = Mask::default();
    mask.add_text(text);
    mask
}

fn json(json: &str) -> Mask {
    let mut mask = Mask::default();
    mask.add_json(json);
    mask
}

#[test]
fn mask_hides_words_of_the_text() {
    let mask = text("my Secret plan");
    let reason = "The word \"secret\" is not allowed, nor is PLAN.";
    let expected = "The word \"…\" is not allowed, nor is ….";
    assert_eq!(mask.apply(reason), expected);
    assert_eq!(mask.apply("mystery secrets"), "mystery secrets");
}

#[test]
fn mask_hides_parts_of_long_words() {
    let mask = text("0123456789abcdef.c2ln-bmF0_dXJl");
    assert_eq!(mask.apply("bad token 01234567..."), "bad token …...");
    assert_eq!(mask.apply("Bearer_c2ln-bmF0_dXJl!"), "…!");
    assert_eq!(mask.apply("not signed"), "not signed");
}

#[test]
fn mask_hides_strings_of_json() {
    let input = r#"{"text":"caf\u00e9\nsecret","type":"text","n":[{"custom":{"k":"value"}}]}"#;
    let mask = json(input);
    let masked = mask.apply("text café, secret value of n");
    assert_eq!(masked, "text …, … … of n");
}

#[test]
fn mask_without_words_changes_nothing() {
    let text = "nothing — to hide…";
    assert_eq!(json("{}").apply(text), text);
    assert_eq!(super::Mask::default().apply(""), "");
}

#[test]
fn mask_hides_every_jwt() {
    let reason = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6MX0.c2ln-bmF0 has expired.";
    assert_eq!(text("").apply(reason), "… has expired.");
}
