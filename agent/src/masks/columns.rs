//! Masks of one stream as it is laid out now: found once by column, then asked by number. A stream without any has none.

use super::key::Hasher;
use clarity_domain::masking::{ANY_STREAM, MaskRule, mask_path, mask_text, rest_of};
use clarity_wire::body::{Column, StreamSchema};
use clarity_wire::frame::Mask;
use serde_json::Value;

/// The masks of one source, for one run of it.
#[derive(Clone, Debug, Default)]
pub struct SourceMasks {
    pub(super) rules: Vec<Mask>,
    pub(super) hasher: Option<Hasher>,
}

impl SourceMasks {
    /// Of these masks, whatever source they name.
    pub fn new(rules: Vec<Mask>, hasher: Hasher) -> Self {
        Self { rules, hasher: Some(hasher) }
    }

    /// Finds the masked columns, and makes their types those of what is left of their values. None: nothing is masked.
    ///
    /// A column of the key is always hashed: with anything else in place of its values, rows would become one.
    pub fn compile(&self, schema: &mut StreamSchema) -> Option<ColumnMasks> {
        let rules: Vec<&Mask> =
            self.rules.iter().filter(|mask| mask.stream == ANY_STREAM || mask.stream == schema.name).collect();
        if rules.is_empty() {
            return None;
        }
        let mut found = ColumnMasks { hasher: self.hasher.clone(), ..ColumnMasks::default() };
        for column in &mut schema.columns {
            let Some(mut act) = Act::of(&rules, column) else {
                found.columns.push(None);
                continue;
            };
            if column.key {
                found.masks_key = true;
                if act != Act::Whole(MaskRule::Hash) {
                    found.hashed_instead.push(column.name.clone());
                    act = Act::Whole(MaskRule::Hash);
                }
            }
            let becomes_text = act.retype(column);
            found.columns.push(Some(ColumnMask { act, becomes_text }));
        }
        found.columns.iter().any(Option::is_some).then_some(found)
    }
}

/// Masks by column number.
#[derive(Clone, Debug, Default)]
pub struct ColumnMasks {
    columns: Vec<Option<ColumnMask>>,
    hasher: Option<Hasher>,
    masks_key: bool,
    hashed_instead: Vec<String>,
}

/// What is done to a column's values.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMask {
    act: Act,
    /// What is left is text, whatever the column was.
    pub becomes_text: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Act {
    Whole(MaskRule),
    /// Inside a document: paths, and what is done to what lies there.
    Paths(Vec<(String, MaskRule)>),
}

impl ColumnMasks {
    /// The mask of a column, if it has one.
    #[inline]
    pub fn of(&self, column: usize) -> Option<&ColumnMask> {
        self.columns.get(column)?.as_ref()
    }

    /// What is left of a value as its source wrote it; nothing where it is hidden, and where it cannot be read.
    pub fn leave(&self, mask: &ColumnMask, text: &[u8]) -> Option<String> {
        let (hasher, text) = (self.hasher.as_ref()?, std::str::from_utf8(text).ok()?);
        let keyed = |bytes: &[u8]| hasher.hash(bytes);
        match &mask.act {
            Act::Whole(rule) => mask_text(rule, text, &keyed),
            Act::Paths(paths) => {
                let mut document: Value = serde_json::from_str(text).ok()?;
                for (path, rule) in paths {
                    mask_path(rule, &mut document, path, &keyed);
                }
                Some(document.to_string())
            }
        }
    }

    /// Whether a column of the key is masked: the key's values must not stand anywhere else either.
    pub fn masks_key(&self) -> bool {
        self.masks_key
    }

    /// Columns of the key that are hashed, though their rule says otherwise.
    pub fn hashed_instead(&self) -> &[String] {
        &self.hashed_instead
    }
}

impl Act {
    fn of(rules: &[&Mask], column: &Column) -> Option<Self> {
        let mut whole: Option<MaskRule> = None;
        let mut paths: Vec<(String, MaskRule)> = Vec::new();
        for mask in rules {
            match rest_of(&mask.field, &column.name) {
                Some("") => whole = Some(whole.map_or(mask.rule, |rule| rule.stricter(mask.rule))),
                Some(path) => match paths.iter_mut().find(|(known, _)| known == path) {
                    Some((_, rule)) => *rule = rule.stricter(mask.rule),
                    None => paths.push((path.to_owned(), mask.rule)),
                },
                None => {}
            }
        }
        // A whole value that is masked leaves nothing to look into.
        match whole {
            Some(MaskRule::Partial { .. }) if !has_characters(&column.type_name) => Some(Self::Whole(MaskRule::Hide)),
            Some(rule) => Some(Self::Whole(rule)),
            None => (!paths.is_empty()).then_some(Self::Paths(paths)),
        }
    }

    /// Gives the column the type of what is left; whether that is text now.
    fn retype(&self, column: &mut Column) -> bool {
        match *self {
            Self::Whole(MaskRule::Hash | MaskRule::Partial { .. }) => {
                column.type_name = "text".into();
                true
            }
            Self::Whole(MaskRule::Bucket { width }) if width.fract() != 0.0 && is_whole(&column.type_name) => {
                column.type_name = "float8".into();
                false
            }
            Self::Whole(MaskRule::Hide | MaskRule::Bucket { .. }) | Self::Paths(_) => false,
        }
    }
}

/// Whether values of the type are read by their characters: of lists, documents, bytes and yes or no, the last ones are no
/// part that anybody means.
fn has_characters(type_name: &str) -> bool {
    !(type_name.ends_with("[]") || matches!(type_name, "json" | "jsonb" | "bytea" | "bool" | "xml" | "hstore"))
}

fn is_whole(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8" | "oid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::masking::MaskKey;

    fn masks(rules: &[(&str, &str, MaskRule)]) -> SourceMasks {
        let mask = |(stream, field, rule): &(&str, &str, MaskRule)| Mask {
            source: None,
            stream: (*stream).into(),
            field: (*field).into(),
            rule: *rule,
        };
        SourceMasks::new(rules.iter().map(mask).collect(), Hasher::new(&MaskKey::new([7; 32])).unwrap())
    }

    fn staff() -> StreamSchema {
        let column =
            |name: &str, kind: &str, key| Column { name: name.into(), type_name: kind.into(), key, comment: None };
        StreamSchema {
            name: "public.staff".into(),
            columns: vec![
                column("id", "int8", true),
                column("name", "varchar(40)", false),
                column("pay", "int4", false),
                column("detail", "jsonb", false),
            ],
            full_old_row: false,
        }
    }

    fn left(masks: &ColumnMasks, column: usize, text: &str) -> Option<String> {
        masks.leave(masks.of(column).unwrap(), text.as_bytes())
    }

    #[test]
    fn a_stream_without_masks_has_none() {
        let mut schema = staff();
        assert!(SourceMasks::default().compile(&mut schema).is_none());
        assert!(masks(&[("public.shifts", "name", MaskRule::Hide)]).compile(&mut schema).is_none());
        assert!(masks(&[("*", "salary", MaskRule::Hide)]).compile(&mut schema).is_none());
        assert_eq!(schema, staff());
    }

    #[test]
    fn types_are_those_of_what_is_left() {
        let mut schema = staff();
        let rules = [
            ("*", "name", MaskRule::Hide),
            ("public.staff", "pay", MaskRule::Bucket { width: 0.5 }),
            ("public.staff", "detail", MaskRule::Hash),
        ];
        let found = masks(&rules).compile(&mut schema).unwrap();
        let types: Vec<&str> = schema.columns.iter().map(|c| c.type_name.as_str()).collect();
        assert_eq!(types, ["int8", "varchar(40)", "float8", "text"]);
        assert!(found.of(0).is_none() && !found.masks_key());
        assert_eq!(left(&found, 1, "Maja Lind"), None);
        assert_eq!(left(&found, 2, "7"), Some("7".into()));
        assert!(left(&found, 3, "{}").unwrap().starts_with("h:"));
    }

    #[test]
    fn a_key_is_hashed_whatever_its_rule() {
        let mut schema = staff();
        let found = masks(&[("*", "id", MaskRule::Hide)]).compile(&mut schema).unwrap();
        assert!(found.masks_key());
        assert_eq!(found.hashed_instead(), ["id"]);
        assert_eq!(schema.columns[0].type_name, "text");
        assert_ne!(left(&found, 0, "1"), left(&found, 0, "2"));
        assert_eq!(left(&found, 0, "1"), left(&found, 0, "1"));
    }

    #[test]
    fn the_stricter_rule_holds_and_a_whole_one_before_its_parts() {
        let rules = [
            ("*", "name", MaskRule::Partial { keep_last: 4 }),
            ("*", "name", MaskRule::Hide),
            ("*", "detail.phone", MaskRule::Hide),
        ];
        let found = masks(&rules).compile(&mut staff()).unwrap();
        assert_eq!(left(&found, 1, "Maja Lind"), None);
        assert_eq!(left(&found, 3, r#"{"phone": "0151", "shift": 2}"#).unwrap(), r#"{"phone":null,"shift":2}"#);
        assert_eq!(left(&found, 3, "no document"), None);
        let whole = masks(&[rules[2], ("*", "detail", MaskRule::Partial { keep_last: 4 })]);
        let found = whole.compile(&mut staff()).unwrap();
        assert_eq!(left(&found, 3, r#"{"phone": "0151"}"#), None, "a document has no last characters");
    }

    #[test]
    fn what_is_not_text_is_hidden() {
        let found = masks(&[("*", "name", MaskRule::Hash)]).compile(&mut staff()).unwrap();
        assert_eq!(found.leave(found.of(1).unwrap(), b"\xff\xfe"), None);
    }
}
