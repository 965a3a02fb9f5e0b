//! Masks: what is left of a value that not everybody may read. Policies say which values, rules say how.
//!
//! Pure: the keyed hash is handed in, since whoever holds its key is not known here. A rule that does not fit its value
//! hides it: what was asked to be masked is never shown because it looked otherwise than expected. `null` stays `null`.
//! Masking twice shows no more than masking once; hidden and rounded values stay what they are.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use std::fmt;
use uuid::Uuid;

use crate::ids::SourceId;
use crate::role::Role;

/// Every stream of the sources that a policy is for.
pub const ANY_STREAM: &str = "*";
/// A stream's or a field's name at most, in characters.
pub const MAX_NAME: usize = 200;

/// What stands in place of characters that are not shown. Always three: how many there were is nobody's business either.
pub const DOTS: &str = "•••";
/// A shorter text is hidden whole: a third of it would give away most of it.
const SHORTEST_PARTIAL: usize = 6;
/// Whole numbers up to here are exact as a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The keyed hash, HMAC-SHA-256 of the value under a key that stays where it is.
pub type KeyedHash<'a> = &'a dyn Fn(&[u8]) -> [u8; 32];

/// What is done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MaskRule {
    /// Nothing is left.
    Hide,
    /// Equal values stay equal, and no more can be known: `h:` and 22 characters.
    Hash,
    /// The last characters stay, at most this many and never more than a third.
    Partial { keep_last: u8 },
    /// Rounded down to a multiple of `width`.
    Bucket { width: f64 },
}

impl MaskRule {
    /// The word of a form and of the database.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Hash => "hash",
            Self::Partial { .. } => "partial",
            Self::Bucket { .. } => "bucket",
        }
    }

    /// Of a form: the rule's word, and the number that goes with it. `None` where they make no rule.
    pub fn read(kind: &str, amount: &str) -> Option<Self> {
        let amount = amount.trim();
        let rule = match kind {
            "hide" => Self::Hide,
            "hash" => Self::Hash,
            "partial" => Self::Partial { keep_last: amount.parse().ok()? },
            "bucket" => Self::Bucket { width: amount.parse().ok()? },
            _ => return None,
        };
        rule.is_sound().then_some(rule)
    }

    /// Whether it can be applied at all: something is kept of a partial value, and a bucket has a width.
    pub fn is_sound(&self) -> bool {
        match *self {
            Self::Hide | Self::Hash => true,
            Self::Partial { keep_last } => keep_last > 0,
            Self::Bucket { width } => width.is_finite() && width > 0.0,
        }
    }

    /// As a person reads it in a list.
    pub fn words(&self) -> String {
        match *self {
            Self::Hide => "hidden".into(),
            Self::Hash => "hashed with a key".into(),
            Self::Partial { keep_last: 1 } => "only the last character".into(),
            Self::Partial { keep_last } => format!("only the last {keep_last} characters"),
            Self::Bucket { width } => format!("rounded down to steps of {width}"),
        }
    }

    /// How little it leaves. Of several rules for one value the one that leaves least holds.
    const fn strictness(&self) -> u8 {
        match self {
            Self::Hide => 3,
            Self::Hash => 2,
            Self::Partial { .. } => 1,
            Self::Bucket { .. } => 0,
        }
    }

    /// The one of two rules that leaves less.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let coarser = match (self, other) {
            (Self::Partial { keep_last: a }, Self::Partial { keep_last: b }) => b < a,
            (Self::Bucket { width: a }, Self::Bucket { width: b }) => b > a,
            (a, b) => b.strictness() > a.strictness(),
        };
        if coarser { other } else { self }
    }
}

/// Where a value is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskPlace {
    /// Before it is written down at all: it never leaves the plant. Only what comes from now on.
    Agent,
    /// In what roles below the policy's least role see.
    View,
}

impl MaskPlace {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::View => "view",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        [Self::Agent, Self::View].into_iter().find(|place| place.as_str() == word)
    }
}

/// Which values are masked, how, and for whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskPolicy {
    pub id: Uuid,
    /// `None`: every source.
    pub source_id: Option<SourceId>,
    /// `schema.table`, as streams are named, or [`ANY_STREAM`].
    pub stream: String,
    /// A column, or a path inside a JSON column: `column.path.to`; in views also a tag, as rows name what they measure.
    pub field: String,
    pub rule: MaskRule,
    pub place: MaskPlace,
    /// View: who still sees it in the clear.
    pub least_role: Option<Role>,
}

impl MaskPolicy {
    /// Whether a field of a stream is masked by it, itself or as part of a masked one: who masks a document masks all in it.
    pub fn covers(&self, source: SourceId, stream: &str, field: &str) -> bool {
        self.concerns(source, stream) && rest_of(field, &self.field).is_some()
    }

    /// Whether it is about this stream.
    pub fn concerns(&self, source: SourceId, stream: &str) -> bool {
        self.source_id.is_none_or(|of| of == source) && (self.stream == ANY_STREAM || self.stream == stream)
    }
}

/// A secret key of hashes. Its debug form tells nothing.
#[derive(Clone)]
pub struct MaskKey([u8; 32]);

impl MaskKey {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey")
    }
}

/// What is left of `field` after `prefix`: empty when they are one, the path when it lies inside.
pub fn rest_of<'a>(field: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = field.strip_prefix(prefix)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.').filter(|path| !path.is_empty()) }
}

/// Column and tag of a metric that rows name: `value[Speed]` is what `value` holds in the rows of the tag `Speed`.
pub fn tag_of(column: &str) -> Option<(&str, &str)> {
    column.strip_suffix(']')?.split_once('[').filter(|(_, tag)| !tag.is_empty())
}

/// A value as its rule leaves it. Numbers and texts that look alike have the same hash, so that they still join.
pub fn mask(rule: &MaskRule, value: &Value, key: KeyedHash<'_>) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) => mask_text(rule, text, key).map_or(Value::Null, Value::String),
        Value::Number(number) if matches!(rule, MaskRule::Bucket { .. }) => bucket_number(rule, number),
        Value::Number(number) => mask_text(rule, &number.to_string(), key).map_or(Value::Null, Value::String),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => match rule {
            MaskRule::Hash => Value::String(hash(value.to_string().as_bytes(), key)),
            MaskRule::Hide | MaskRule::Partial { .. } | MaskRule::Bucket { .. } => Value::Null,
        },
    }
}

/// As [`mask`], for a cell as its source wrote it; `None` is nothing. A rounded number is a number again, all else is text.
pub fn mask_text(rule: &MaskRule, text: &str, key: KeyedHash<'_>) -> Option<String> {
    match *rule {
        MaskRule::Hide => None,
        MaskRule::Hash => Some(hash(text.as_bytes(), key)),
        MaskRule::Partial { keep_last } => Some(partial(text, keep_last.into())),
        MaskRule::Bucket { width } => bucket_text(text, width),
    }
}

/// As [`mask`], for a sample: only rounding leaves a number.
pub fn mask_number(rule: &MaskRule, value: f64) -> Option<f64> {
    match *rule {
        MaskRule::Bucket { width } => bucket(value, width),
        MaskRule::Hide | MaskRule::Hash | MaskRule::Partial { .. } => None,
    }
}

/// Masks what lies at `path` inside a document, in each element of lists on the way. A path that is not there masks nothing.
pub fn mask_path(rule: &MaskRule, document: &mut Value, path: &str, key: KeyedHash<'_>) {
    leave_at(document, path, &|value| mask(rule, value, key));
}

/// As [`mask_path`], with what is left of a value said by the caller.
pub fn leave_at(document: &mut Value, path: &str, leave: &dyn Fn(&Value) -> Value) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| leave_at(item, path, leave)),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match rest_of(path, name) {
                    Some("") => *value = leave(value),
                    Some(rest) => leave_at(value, rest, leave),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// `h:` and the hash's first 16 bytes.
fn hash(bytes: &[u8], key: KeyedHash<'_>) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digest = key(bytes);
    let mut out = String::with_capacity(24);
    out.push_str("h:");
    for three in digest[..16].chunks(3) {
        let word = three.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(LETTERS[((word >> (18 - 6 * place)) & 63) as usize]));
        }
    }
    out
}

fn partial(text: &str, keep_last: usize) -> String {
    let count = text.chars().count();
    if count < SHORTEST_PARTIAL {
        return DOTS.into();
    }
    let kept = keep_last.min(count / 3);
    DOTS.chars().chain(text.chars().skip(count - kept)).collect()
}

/// The largest multiple of `width` that is not above `value`. Nothing where there is none that a float can tell.
fn bucket(value: f64, width: f64) -> Option<f64> {
    if !value.is_finite() || !width.is_finite() || width <= 0.0 {
        return None;
    }
    let mut steps = (value / width).floor();
    if steps.abs() >= EXACT {
        return None;
    }
    // The quotient was rounded: 0.3 / 0.1 is below 3.
    if steps * width > value {
        steps -= 1.0;
    } else if (steps + 1.0) * width <= value {
        steps += 1.0;
    }
    let floor = steps * width;
    // No "-0".
    floor.is_finite().then_some(floor + 0.0)
}

/// Whole numbers by whole steps, without a float's rounding.
fn bucket_whole(value: i64, width: f64) -> Option<i64> {
    if width < 1.0 || width.fract() != 0.0 || width >= EXACT {
        return None;
    }
    let width = width as i64;
    value.div_euclid(width).checked_mul(width)
}

fn bucket_text(text: &str, width: f64) -> Option<String> {
    let text = text.trim();
    if let Some(whole) = text.parse().ok().and_then(|value| bucket_whole(value, width)) {
        return Some(whole.to_string());
    }
    bucket(text.parse().ok()?, width).map(|floor| floor.to_string())
}

fn bucket_number(rule: &MaskRule, number: &Number) -> Value {
    let MaskRule::Bucket { width } = *rule else { return Value::Null };
    if let Some(whole) = number.as_i64().and_then(|value| bucket_whole(value, width)) {
        return whole.into();
    }
    let floor = number.as_f64().and_then(|value| bucket(value, width));
    floor.and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests;
