//! A scanner that finds web and email addresses.
//!
//! A character may start several candidates if there is none yet. With few exceptions, no candidate
//! starts while there is another one. Each candidate reads the following characters. This rule
//! decides the result for ambiguous input. The number of candidates at a time is small and bounded,
//! so the scanner needs a single pass.

use super::address::{
    common_scheme, is_domain_url, is_email, is_ip_url, is_scheme_url, without_trailing_punctuation,
};
use super::letters::is_letter_or_digit;
use super::state::{MAILTO, Start, State, Step};
use crate::content::markup::chars::{count_steps, starts_with_ignoring_case};

/// A link in a line of text.
pub(super) struct Link {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) url: String,
}

/// Returns the addresses in `text`, in the order in which they end. They may overlap.
pub(super) fn addresses(text: &str) -> Vec<Link> {
    let mut scan = Scan {
        text,
        candidates: Vec::new(),
        links: Vec::new(),
    };
    let mut before = None;
    for (at, c) in text.char_indices() {
        scan.read(at, c, before);
        before = Some(c);
    }
    for candidate in std::mem::take(&mut scan.candidates) {
        scan.end(&candidate, text.len());
    }
    scan.links
}

struct Scan<'a> {
    text: &'a str,
    candidates: Vec<Candidate>,
    links: Vec<Link>,
}

struct Candidate {
    start: usize,
    /// `None` for `#tag`, `@name` and phone numbers, which never become a link but prevent other
    /// candidates from starting.
    kind: Option<Kind>,
    state: State,
    /// Set if the characters so far are sufficient for a link.
    is_enough: bool,
}

/// The kind of address that a candidate may become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `https://example.com`
    Scheme,
    /// `example.com`
    Domain,
    /// `192.0.2.1`
    Ip,
    /// `ann@example.com`
    Email,
}

impl Scan<'_> {
    fn read(&mut self, at: usize, c: char, before: Option<char>) {
        count_steps(1 + self.candidates.len());
        if self.candidates.is_empty() {
            self.start_anything(at, c);
            return;
        }
        for index in (0..self.candidates.len()).rev() {
            let candidate = &mut self.candidates[index];
            let (step, start) = candidate.state.step(c);
            match step {
                Step::Go(state) => candidate.state = state,
                Step::Enough(state) => (candidate.state, candidate.is_enough) = (state, true),
                Step::End => {
                    let candidate = self.candidates.remove(index);
                    self.end(&candidate, at);
                }
                Step::Drop => drop(self.candidates.remove(index)),
            }
            match start {
                Start::Nothing => {}
                Start::Scheme => self.start(at, Some(Kind::Scheme), State::Scheme),
                Start::Slash => self.start(at, Some(Kind::Domain), State::Slash),
                Start::Anything => self.start_anything(at, c),
            }
        }
        // A scheme may start after every character that is not a letter, as in
        // `1:http://example.com`.
        if c.is_ascii_alphabetic()
            && before.is_some_and(|before| !before.is_ascii_alphabetic())
            && !self
                .candidates
                .iter()
                .any(|candidate| candidate.kind == Some(Kind::Scheme))
        {
            self.start(at, Some(Kind::Scheme), State::Scheme);
        }
    }

    fn start_anything(&mut self, at: usize, c: char) {
        match c {
            '#' => self.start(at, None, State::Hash),
            '@' => self.start(at, None, State::Name),
            '/' => self.start(at, Some(Kind::Domain), State::Slash),
            '+' => self.start(at, None, State::PhonePlus),
            '(' => self.start(at, None, State::AreaCode(0)),
            _ if is_letter_or_digit(c) => {
                if c.is_ascii_digit() {
                    self.start(at, None, State::PhoneDigits);
                    self.start(at, Some(Kind::Ip), State::IpNumber(1));
                }
                let is_m = c.eq_ignore_ascii_case(&'m');
                self.start(
                    at,
                    Some(Kind::Email),
                    if is_m {
                        State::Mailto(1)
                    } else {
                        State::LocalPart
                    },
                );
                if c.is_ascii_alphabetic() {
                    self.start(at, Some(Kind::Scheme), State::Scheme);
                }
                self.start(at, Some(Kind::Domain), State::Label);
            }
            _ => {}
        }
    }

    fn start(&mut self, start: usize, kind: Option<Kind>, state: State) {
        self.candidates.push(Candidate {
            start,
            kind,
            state,
            is_enough: false,
        });
    }

    /// Adds a link for a finished candidate if it is a valid address.
    fn end(&mut self, candidate: &Candidate, end: usize) {
        let (true, Some(kind)) = (candidate.is_enough, candidate.kind) else {
            return;
        };
        let mut start = candidate.start;
        let mut text = without_trailing_punctuation(&self.text[start..end]);
        let is_behind_at = self.text[..start].ends_with('@');
        let url = match kind {
            Kind::Scheme => {
                let skipped = common_scheme(text).unwrap_or(0);
                start += skipped;
                text = &text[skipped..];
                (!is_behind_at && is_scheme_url(text)).then(|| text.to_owned())
            }
            Kind::Domain => (!is_behind_at && is_domain_url(text)).then(|| with_scheme(text)),
            Kind::Ip => (!is_behind_at && is_ip_url(text)).then(|| with_scheme(text)),
            Kind::Email => is_email(text).then(|| {
                let is_prefixed = starts_with_ignoring_case(text, MAILTO);
                let address = if is_prefixed {
                    &text[MAILTO.len()..]
                } else {
                    text
                };
                format!("{MAILTO}{address}")
            }),
        };
        if let Some(url) = url {
            self.links.push(Link {
                start,
                end: start + text.len(),
                url,
            });
        }
    }
}

fn with_scheme(url: &str) -> String {
    if url.starts_with("//") {
        url.to_owned()
    } else {
        format!("http://{url}")
    }
}
