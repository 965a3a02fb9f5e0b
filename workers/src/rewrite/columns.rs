//! What is done to the columns of one stream as it was laid out: as the agent does it to what comes (`agent/src/masks`), so that
//! what is kept and what comes look alike.

use clarity_domain::ids::SourceId;
use clarity_domain::masking::{DOTS, KeyedHash, MaskPolicy, MaskRule, leave_at, mask, mask_text, rest_of};
use clarity_wire::body::{Column, StreamSchema};
use serde_json::Value;
use serde_json::value::RawValue;

/// What is done to a column's cells.
#[derive(Clone, Debug, PartialEq)]
enum Act {
    Whole(MaskRule),
    /// Inside a document: paths, and what is done to what lies there.
    Paths(Vec<(String, MaskRule)>),
}

/// The acts of a stream, by column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMasks(Vec<Option<Act>>);

impl ColumnMasks {
    /// Finds the masked columns, and gives them the types of what is left. None: nothing of the stream is masked.
    ///
    /// A column of the key is always hashed: with anything else in place of its values, rows would become one.
    pub fn compile(policies: &[MaskPolicy], source: SourceId, schema: &mut StreamSchema) -> Option<Self> {
        let concerned: Vec<&MaskPolicy> = policies.iter().filter(|p| p.concerns(source, &schema.name)).collect();
        let acts: Vec<Option<Act>> = schema.columns.iter().map(|column| Act::of(&concerned, column)).collect();
        if acts.iter().all(Option::is_none) {
            return None;
        }
        for (column, act) in schema.columns.iter_mut().zip(&acts) {
            if let Some(act) = act {
                act.retype(column);
            }
        }
        Some(Self(acts))
    }

    pub fn columns(&self) -> usize {
        self.0.len()
    }

    /// A cell as it is to stand in the line, when it is to be another.
    pub fn leave(&self, column: usize, cell: &RawValue, key: KeyedHash<'_>) -> Option<Box<RawValue>> {
        let act = self.0.get(column)?.as_ref()?;
        let raw = cell.get();
        // Null and absent are no values.
        if raw == "null" || raw == "[]" {
            return None;
        }
        let left = match act {
            // No agent writes such a cell: it cannot be read, so it cannot be masked.
            _ if raw.starts_with('[') => Value::Null,
            Act::Whole(rule) => whole(rule, raw, key)?,
            Act::Paths(paths) => inside(paths, raw, key),
        };
        let text = left.to_string();
        (text != raw).then(|| RawValue::from_string(text).ok()).flatten()
    }
}

/// None: the cell stays.
fn whole(rule: &MaskRule, raw: &str, key: KeyedHash<'_>) -> Option<Value> {
    let value: Value = serde_json::from_str(raw).unwrap_or(Value::Null);
    let text = match &value {
        Value::String(text) => text.as_str(),
        Value::Number(_) => raw,
        other => return Some(mask(rule, other, key)),
    };
    if is_left_by(rule, text) {
        return None;
    }
    let left = mask_text(rule, text, key);
    // What was rounded is a number where it was one; decimals come as text, and go on as text.
    Some(match (rule, left) {
        (_, None) => Value::Null,
        (MaskRule::Bucket { .. }, Some(left)) if value.is_number() => {
            serde_json::from_str(&left).unwrap_or(Value::String(left))
        }
        (_, Some(left)) => Value::String(left),
    })
}

/// As `whole`, for a value inside a document.
fn part(rule: &MaskRule, value: &Value, key: KeyedHash<'_>) -> Value {
    match value {
        Value::String(text) if is_left_by(rule, text) => value.clone(),
        _ => mask(rule, value, key),
    }
}

/// What cannot be read as a document is hidden.
fn inside(paths: &[(String, MaskRule)], raw: &str, key: KeyedHash<'_>) -> Value {
    let text: Option<String> = serde_json::from_str(raw).ok();
    let document: Option<Value> = serde_json::from_str(text.as_deref().unwrap_or(raw)).ok();
    let Some(mut document) = document else { return Value::Null };
    let before = document.clone();
    for (path, rule) in paths {
        leave_at(&mut document, path, &|value| part(rule, value, key));
    }
    match text {
        // As it was written, where nothing was masked.
        Some(text) if document == before => Value::String(text),
        _ => Value::String(document.to_string()),
    }
}

/// Whether a text is what the rule leaves: masked before it came, or by a rewrite before. Hashed again it would no longer join
/// with what comes, and of its last characters each rewrite would leave fewer.
pub(super) fn is_left_by(rule: &MaskRule, text: &str) -> bool {
    match *rule {
        MaskRule::Hash => is_hash(text),
        MaskRule::Partial { keep_last } => {
            text.strip_prefix(DOTS).is_some_and(|rest| rest.chars().count() <= usize::from(keep_last))
        }
        MaskRule::Hide | MaskRule::Bucket { .. } => false,
    }
}

/// As `clarity_domain::masking` writes one.
fn is_hash(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() == 24 && text.strip_prefix("h:").is_some_and(|hash| hash.bytes().all(letter))
}

impl Act {
    fn of(policies: &[&MaskPolicy], column: &Column) -> Option<Self> {
        let mut whole: Option<MaskRule> = None;
        let mut paths: Vec<(String, MaskRule)> = Vec::new();
        for policy in policies {
            match rest_of(&policy.field, &column.name) {
                Some("") => whole = Some(whole.map_or(policy.rule, |rule| rule.stricter(policy.rule))),
                Some(path) => match paths.iter_mut().find(|(known, _)| known == path) {
                    Some((_, rule)) => *rule = rule.stricter(policy.rule),
                    None => paths.push((path.to_owned(), policy.rule)),
                },
                None => {}
            }
        }
        if column.key && (whole.is_some() || !paths.is_empty()) {
            return Some(Self::Whole(MaskRule::Hash));
        }
        match whole {
            Some(MaskRule::Partial { .. }) if !has_characters(&column.type_name) => Some(Self::Whole(MaskRule::Hide)),
            Some(rule) => Some(Self::Whole(rule)),
            None => (!paths.is_empty()).then_some(Self::Paths(paths)),
        }
    }

    fn retype(&self, column: &mut Column) {
        let is_whole = matches!(column.type_name.as_str(), "int2" | "int4" | "int8" | "oid");
        match *self {
            Self::Whole(MaskRule::Hash | MaskRule::Partial { .. }) => column.type_name = "text".into(),
            Self::Whole(MaskRule::Bucket { width }) if width.fract() != 0.0 && is_whole => {
                column.type_name = "float8".into();
            }
            Self::Whole(MaskRule::Hide | MaskRule::Bucket { .. }) | Self::Paths(_) => {}
        }
    }
}

/// Whether values of the type are read by their characters.
fn has_characters(type_name: &str) -> bool {
    !(type_name.ends_with("[]") || matches!(type_name, "json" | "jsonb" | "bytea" | "bool" | "xml" | "hstore"))
}
