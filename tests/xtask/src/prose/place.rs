//! Findings in one file.

/// The rule that a place breaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A summary that begins with a question word.
    Summary,
    /// A word or phrase that the field does not use, in a comment or in documentation.
    Word,
    /// Such a word in the name of a function.
    NameWord,
    /// A documented `bool` function that does not say "Returns".
    BoolDoc,
    /// A function name of more than 60 characters.
    LongName,
    /// A function name that begins with an article, and thus names no subject.
    ArticleName,
    /// A line of more than 100 columns.
    LongLine,
}

/// A finding within one file.
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) detail: String,
}

impl Place {
    pub(super) fn new(line: usize, kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { line, kind, detail }
    }
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary-starts",
            Self::Word => "words",
            Self::NameWord => "words-in-names",
            Self::BoolDoc => "bool-docs",
            Self::LongName => "long-names",
            Self::ArticleName => "article-names",
            Self::LongLine => "long-lines",
        }
    }
}
