//! The states of a candidate for an address.

use super::address::{is_local_part_char, is_path_char};
use super::letters::is_letter_or_digit;

pub(super) const MAILTO: &str = "mailto:";

/// The progress of a candidate.
#[derive(Clone, Copy)]
pub(super) enum State {
    Scheme,
    SchemeHyphen,
    SchemeColon,
    SchemeSlash,
    SchemeSlashes,
    Slash,
    Slashes,
    Label,
    LabelHyphen,
    LabelDot,
    /// The number of octets that have started.
    IpNumber(u8),
    IpDot(u8),
    PortColon,
    Port,
    Path,
    /// The number of characters of `mailto:` that have been read.
    Mailto(usize),
    LocalPart,
    LocalPartDot,
    At,
    EmailLabel,
    EmailHyphen,
    EmailDot,
    Hash,
    HashText,
    Name,
    NameText,
    PhonePlus,
    PhoneDigits,
    PhoneSeparator,
    PhonePause,
    PhonePound,
    AreaCode(u8),
    AreaCodeEnd,
}

/// The effect of a character on a candidate.
pub(super) enum Step {
    Go(State),
    /// Moves to the state, and the characters so far are sufficient for a link.
    Enough(State),
    /// The candidate ends before the character.
    End,
    /// The candidate is not an address.
    Drop,
}

/// The candidates that a character starts in addition to the existing ones.
pub(super) enum Start {
    Nothing,
    Scheme,
    Slash,
    Anything,
}

impl State {
    /// Returns the effect of the next character.
    pub(super) fn step(self, c: char) -> (Step, Start) {
        let step = match self {
            Self::Scheme | Self::SchemeHyphen | Self::SchemeColon => return self.step_in_scheme(c),
            Self::PhonePlus
            | Self::PhoneDigits
            | Self::PhoneSeparator
            | Self::PhonePause
            | Self::PhonePound
            | Self::AreaCode(_)
            | Self::AreaCodeEnd => return self.step_in_phone(c),
            Self::Mailto(_)
            | Self::LocalPart
            | Self::LocalPartDot
            | Self::At
            | Self::EmailLabel
            | Self::EmailHyphen
            | Self::EmailDot => self.step_in_email(c),
            Self::Hash | Self::HashText if is_label_char(c) => Step::Go(Self::HashText),
            Self::Name | Self::NameText if is_name_char(c) => Step::Go(Self::NameText),
            Self::Hash | Self::HashText | Self::Name | Self::NameText => Step::Drop,
            _ => self.step_in_url(c),
        };
        (step, Start::Nothing)
    }

    fn step_in_scheme(self, c: char) -> (Step, Start) {
        let is_scheme_char = c.is_ascii_alphanumeric() || matches!(c, '+' | '.');
        match (self, c) {
            (Self::SchemeColon, '/') => (Step::Go(Self::SchemeSlash), Start::Nothing),
            (Self::SchemeColon, _) if is_letter_or_digit(c) => {
                // The part before the colon may be a word and not a scheme, as in
                // `here:http://a.com`.
                let start = if c.is_ascii_alphabetic() {
                    Start::Scheme
                } else {
                    Start::Nothing
                };
                (Step::Go(Self::Label), start)
            }
            (Self::Scheme, ':') => (Step::Go(Self::SchemeColon), Start::Nothing),
            (Self::Scheme | Self::SchemeHyphen, '-') => {
                (Step::Go(Self::SchemeHyphen), Start::Nothing)
            }
            (Self::SchemeHyphen, '/') => (Step::Drop, Start::Slash),
            (Self::Scheme | Self::SchemeHyphen, _) if is_scheme_char => {
                (Step::Go(Self::Scheme), Start::Nothing)
            }
            _ => (Step::Drop, Start::Nothing),
        }
    }

    fn step_in_url(self, c: char) -> Step {
        let is_path_start = matches!(c, '/' | '?' | '#');
        match self {
            Self::SchemeSlash if c == '/' => Step::Go(Self::SchemeSlashes),
            Self::SchemeSlash if is_path_char(c) => Step::Enough(Self::Path),
            Self::SchemeSlashes if c == '/' => Step::Enough(Self::Path),
            Self::SchemeSlashes if is_letter_or_digit(c) => Step::Enough(Self::Label),
            Self::Slash if c == '/' => Step::Go(Self::Slashes),
            Self::Slashes if is_letter_or_digit(c) => Step::Go(Self::Label),

            Self::Label if c == '.' => Step::Go(Self::LabelDot),
            Self::Label | Self::LabelHyphen if c == '-' => Step::Go(Self::LabelHyphen),
            Self::Label | Self::IpNumber(_) if c == ':' => Step::Go(Self::PortColon),
            Self::Label | Self::IpNumber(_) | Self::Port if is_path_start => Step::Go(Self::Path),
            Self::Label if is_label_char(c) => Step::Go(Self::Label),
            Self::LabelHyphen if is_letter_or_digit(c) => Step::Go(Self::Label),
            Self::LabelDot if is_letter_or_digit(c) => Step::Enough(Self::Label),

            Self::IpNumber(count) if c == '.' => Step::Go(Self::IpDot(count)),
            Self::IpNumber(_) if c.is_ascii_digit() => Step::Go(self),
            Self::IpNumber(_) if is_letter_or_digit(c) => Step::Drop,
            Self::IpDot(count) if c.is_ascii_digit() => match count.saturating_add(1) {
                4 => Step::Enough(Self::IpNumber(4)),
                count => Step::Go(Self::IpNumber(count)),
            },

            Self::PortColon | Self::Port if c.is_ascii_digit() => Step::Go(Self::Port),
            Self::Path if is_path_char(c) => Step::Go(Self::Path),
            _ => Step::End,
        }
    }

    fn step_in_email(self, c: char) -> Step {
        match self {
            Self::Mailto(read) if read == MAILTO.len() => match c {
                _ if is_local_part_char(c) => Step::Go(Self::LocalPart),
                _ => Step::Drop,
            },
            Self::Mailto(read) if MAILTO[read..].starts_with(c.to_ascii_lowercase()) => {
                Step::Go(Self::Mailto(read + 1))
            }
            Self::Mailto(_) | Self::LocalPart if c == '.' => Step::Go(Self::LocalPartDot),
            Self::Mailto(_) | Self::LocalPart if c == '@' => Step::Go(Self::At),
            Self::Mailto(_) | Self::LocalPart | Self::LocalPartDot if is_local_part_char(c) => {
                Step::Go(Self::LocalPart)
            }
            Self::At if is_letter_or_digit(c) => Step::Go(Self::EmailLabel),
            Self::EmailLabel if c == '.' => Step::Go(Self::EmailDot),
            Self::EmailLabel if c == '-' => Step::Go(Self::EmailHyphen),
            Self::EmailLabel | Self::EmailHyphen if is_label_char(c) => Step::Go(Self::EmailLabel),
            Self::EmailDot if is_letter_or_digit(c) => Step::Enough(Self::EmailLabel),
            Self::EmailLabel | Self::EmailHyphen | Self::EmailDot => Step::End,
            _ => Step::Drop,
        }
    }

    fn step_in_phone(self, c: char) -> (Step, Start) {
        let is_separator = matches!(c, '-' | '.' | ' ');
        let is_pause = matches!(c, ',' | ';');
        let (state, start) = match self {
            Self::AreaCode(0) => (
                c.is_ascii_digit().then_some(Self::AreaCode(1)),
                Start::Anything,
            ),
            Self::AreaCode(3) => ((c == ')').then_some(Self::AreaCodeEnd), Start::Nothing),
            Self::AreaCode(digits) => (
                c.is_ascii_digit().then_some(Self::AreaCode(digits + 1)),
                Start::Nothing,
            ),
            Self::PhonePound if is_pause => (Some(Self::PhonePause), Start::Nothing),
            Self::PhonePound => (None, Start::Nothing),
            _ if c.is_ascii_digit() => (Some(Self::PhoneDigits), Start::Nothing),
            Self::PhonePlus => (None, Start::Anything),
            Self::AreaCodeEnd if is_separator => (Some(Self::PhoneSeparator), Start::Nothing),
            Self::PhoneDigits | Self::PhoneSeparator if c == '(' => {
                (Some(Self::AreaCode(0)), Start::Nothing)
            }
            Self::PhoneDigits if is_separator => (Some(Self::PhoneSeparator), Start::Nothing),
            Self::PhoneDigits | Self::PhonePause if is_pause => {
                (Some(Self::PhonePause), Start::Nothing)
            }
            Self::PhoneDigits | Self::PhonePause if c == '#' => {
                (Some(Self::PhonePound), Start::Nothing)
            }
            Self::PhoneDigits if c.is_ascii_alphabetic() => (None, Start::Scheme),
            Self::PhoneSeparator => (None, Start::Anything),
            _ => (None, Start::Nothing),
        };
        (state.map_or(Step::Drop, Step::Go), start)
    }
}

fn is_label_char(c: char) -> bool {
    c == '_' || is_letter_or_digit(c)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}
