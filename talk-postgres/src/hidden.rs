//! Parameters of statements that must not appear in logs.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A parameter whose `Debug` shows nothing, because tokio-postgres logs the parameters of
/// statements.
pub(crate) struct Hidden<T>(pub(crate) T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<T: ToSql> ToSql for Hidden<T> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        T::accepts(ty)
    }

    to_sql_checked!();
}

/// Escapes NUL, which PostgreSQL cannot store in text.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    match text.contains(['\0', '\\']) {
        true => Cow::Owned(text.replace('\\', r"\\").replace('\0', r"\0")),
        false => Cow::Borrowed(text),
    }
}

/// Reverses [`escape`].
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' if characters.next() == Some('0') => '\0',
            character => character,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_is_restored() {
        for text in ["", "a", "\0", r"\0", r"\\0", "a\\\0b\\", "ä\u{10ffff}"] {
            let escaped = escape(text);
            assert!(!escaped.contains('\0'));
            assert_eq!(unescape(&escaped), text);
        }
    }

    #[test]
    fn debug_of_hidden_parameter_shows_nothing() {
        assert_eq!(format!("{:?}", Hidden("secret")), "…");
    }
}
