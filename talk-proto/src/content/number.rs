//! JSON numbers as JavaScript writes them: 2 and 2.0 are equal and written as `2`.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// 2⁵³, up to which an `f64` represents every integer exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// An `f64` that is written without a fraction if it is an integer.
pub(crate) struct JsNumber(pub(crate) f64);

impl Serialize for JsNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= MAX_SAFE_INTEGER {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// Returns a count that may be written as `10` or `10.0`.
pub(crate) fn as_count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|n| n.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER).contains(n))
            .map(|n| n as u64)
    })
}
