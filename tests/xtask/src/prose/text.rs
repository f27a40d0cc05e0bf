//! Comments and Markdown, line by line.

use super::place::{Kind, Place};

/// Words that name no part of a program, or that the field does not use.
const WORDS: [&str; 18] = [
    "anew",
    "anybody",
    "beside",
    "everybody",
    "hear",
    "heard",
    "hears",
    "nobody",
    "somebody",
    "tell",
    "telling",
    "tells",
    "told",
    "what",
    "whatever",
    "who",
    "whoever",
    "whom",
];

/// Phrases of the same kind.
const PHRASES: [&str; 11] = [
    "a text",
    "a turn",
    "be it that",
    "came to be",
    "come to be",
    "comes to be",
    "for ever",
    "in words",
    "let go",
    "lets go",
    "under way",
];

/// Words that no summary begins with.
const STARTS: [&str; 6] = ["How", "One", "The same", "What", "Whether", "Who"];

/// Checks the comments of Rust code, and the length of its lines.
pub(super) fn check_comments(source: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut block = Block::default();
    for (number, line) in source.lines().enumerate() {
        if line.chars().count() > 100 {
            places.push(Place::new(number + 1, Kind::LongLine, line.trim()));
        }
        let line = line.trim_start();
        let comment = ["///", "//!", "//"]
            .into_iter()
            .find_map(|marker| Some((marker, line.strip_prefix(marker)?)));
        let Some((marker, text)) = comment else {
            block.finish(&mut places);
            continue;
        };
        if block.marker != marker {
            block.finish(&mut places);
            block.marker = marker;
        }
        if marker != "//" && block.lines.is_empty() {
            let start = STARTS
                .into_iter()
                .find(|start| begins_with(text.trim(), start));
            places.extend(start.map(|_| Place::new(number + 1, Kind::Summary, text.trim())));
        }
        block.lines.push((number + 1, text));
    }
    block.finish(&mut places);
    places
}

/// Checks the prose of a Markdown file.
pub(super) fn check_markdown(source: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut block = Block::default();
    for (number, line) in source.lines().enumerate() {
        if line.is_empty() && !block.is_fenced() {
            block.finish(&mut places);
        }
        block.lines.push((number + 1, line));
    }
    block.finish(&mut places);
    places
}

/// Returns `true` if a name contains one of the words.
pub(super) fn name_has_word(name: &str) -> bool {
    name.split('_').any(|part| WORDS.contains(&part))
}

/// Lines of prose that belong together.
#[derive(Default)]
struct Block<'a> {
    marker: &'static str,
    lines: Vec<(usize, &'a str)>,
}

impl Block<'_> {
    /// Returns `true` inside a fenced code block.
    fn is_fenced(&self) -> bool {
        let fences = self.lines.iter().filter(|(_, line)| is_fence(line));
        fences.count() % 2 == 1
    }

    /// Checks the lines and removes them.
    fn finish(&mut self, places: &mut Vec<Place>) {
        let mut words: Vec<(usize, String)> = Vec::new();
        let mut in_fence = false;
        let mut in_code = false;
        for (number, line) in self.lines.drain(..) {
            if is_fence(line) {
                in_fence = !in_fence;
                in_code = false;
            } else if !in_fence {
                let prose = prose(line, &mut in_code).to_lowercase();
                let found = prose.split(|c: char| !c.is_alphanumeric());
                let found = found.filter(|word| !word.is_empty());
                words.extend(found.map(|word| (number, word.to_owned())));
            }
        }
        for (index, (number, word)) in words.iter().enumerate() {
            if WORDS.contains(&word.as_str()) {
                places.push(Place::new(*number, Kind::Word, word.as_str()));
            }
            let phrase = PHRASES.into_iter().find(|phrase| {
                let after = words[index..].iter().map(|(_, word)| word.as_str());
                phrase.starts_with(word.as_str())
                    && phrase
                        .split(' ')
                        .zip(after.chain(["", ""]))
                        .all(|(a, b)| a == b)
            });
            places.extend(phrase.map(|phrase| Place::new(*number, Kind::Word, phrase)));
        }
        self.marker = "";
    }
}

fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

/// Returns a line without its code spans. A span may go on in the next line.
fn prose(line: &str, in_code: &mut bool) -> String {
    let mut prose = String::new();
    for (index, part) in line.split('`').enumerate() {
        if index > 0 {
            *in_code = !*in_code;
        }
        if *in_code {
            // Keeps the words around a span apart.
            prose.push('.');
        } else {
            prose.push_str(part);
        }
    }
    prose
}

fn begins_with(text: &str, start: &str) -> bool {
    let after = text.strip_prefix(start);
    after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(usize, &'static str, String)> {
        let places = check_comments(source).into_iter();
        places
            .map(|place| (place.line, place.kind.name(), place.detail))
            .collect()
    }

    #[test]
    fn summary_with_question_word_is_found() {
        let source = "/// Whether it is set.\nfn f() {}\n// Whether it is set.\n/// Whetherever.";
        assert_eq!(
            found(source),
            [(1, "summary-starts", "Whether it is set.".to_owned())]
        );
    }

    #[test]
    fn phrase_over_two_lines_is_found() {
        let source = "// Waits for\n// ever.";
        assert_eq!(found(source), [(1, "words", "for ever".to_owned())]);
    }

    #[test]
    fn code_in_comments_is_left_out() {
        let source = "//! Calls `tell`.\n//!\n//! ```\n//! tell(what);\n//! ```\n//! Nobody.";
        assert_eq!(found(source), [(6, "words", "nobody".to_owned())]);
    }

    #[test]
    fn line_over_100_columns_is_found() {
        let source = format!("{}\n{}", "ü".repeat(100), "ü".repeat(101));
        assert_eq!(found(&source), [(2, "long-lines", "ü".repeat(101))]);
    }

    #[test]
    fn markdown_outside_of_code_is_checked() {
        let places = check_markdown("It is told.\n\n```\ntold\n\ntold\n```\n\nWho `told`?\n");
        let lines: Vec<_> = places.iter().map(|place| place.line).collect();
        assert_eq!(lines, [1, 9]);
    }
}
