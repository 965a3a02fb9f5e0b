//! JSON taken apart into typed leaves: `column.path.to.leaf`. Arrays stay one text; what lies deeper than the limit too.

use super::cast::clean;
use clarity_domain::mapping::SampleType;
use clarity_wire::limits::MAX_JSON_DEPTH;
use serde_json::Value;

/// The longest path that is taken apart.
const MAX_PATH_BYTES: usize = 400;

/// A leaf's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf {
    Null,
    Float(f64),
    /// A whole number that a float cannot hold.
    Int(i64),
    Bool(bool),
    Text(String),
    /// An array, or what lies too deep, as JSON text.
    Json(String),
}

impl Leaf {
    /// The column that takes it; `None` for null, which fits every column.
    pub const fn sample_type(&self) -> Option<SampleType> {
        match self {
            Self::Null => None,
            Self::Float(_) => Some(SampleType::Float),
            Self::Int(_) => Some(SampleType::Integer),
            Self::Bool(_) => Some(SampleType::Boolean),
            Self::Text(_) | Self::Json(_) => Some(SampleType::Text),
        }
    }
}

/// Calls `leaf` for every leaf of a column's JSON text. Text that is no JSON is one text leaf.
pub fn flatten(column: &str, text: &str, leaf: &mut dyn FnMut(&str, Leaf)) {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let mut path = column.to_owned();
            walk(&mut path, &value, 0, leaf);
        }
        Err(_) => leaf(column, Leaf::Text(clean(text).into_owned())),
    }
}

fn walk(path: &mut String, value: &Value, depth: usize, leaf: &mut dyn FnMut(&str, Leaf)) {
    match value {
        Value::Null => leaf(path, Leaf::Null),
        Value::Bool(b) => leaf(path, Leaf::Bool(*b)),
        Value::Number(n) => {
            let whole = n.as_i64().filter(|n| n.unsigned_abs() > 1 << 53);
            let number = whole.map(Leaf::Int).or_else(|| n.as_f64().map(Leaf::Float));
            leaf(path, number.unwrap_or_else(|| Leaf::Text(n.to_string())));
        }
        Value::String(s) => leaf(path, Leaf::Text(clean(s).into_owned())),
        Value::Object(fields) if depth < MAX_JSON_DEPTH => {
            for (name, value) in fields {
                let length = path.len();
                if length + 1 + name.len() > MAX_PATH_BYTES {
                    leaf(path, Leaf::Json(clean(&format!("{{{name:?}:{value}}}")).into_owned()));
                    continue;
                }
                path.push('.');
                path.push_str(&clean(name));
                walk(path, value, depth + 1, leaf);
                path.truncate(length);
            }
        }
        Value::Object(_) | Value::Array(_) => leaf(path, Leaf::Json(clean(&value.to_string()).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(text: &str) -> Vec<(String, Leaf)> {
        let mut out = Vec::new();
        flatten("extra", text, &mut |path, leaf| out.push((path.to_owned(), leaf)));
        out
    }

    #[test]
    fn leaves_are_typed() {
        let found = leaves(r#"{"a":{"b":3,"c":"x\u0000y"},"big":9007199254740993,"list":[1,2],"n":null,"on":true}"#);
        assert_eq!(
            found,
            [
                ("extra.a.b".into(), Leaf::Float(3.0)),
                ("extra.a.c".into(), Leaf::Text("x\u{2400}y".into())),
                ("extra.big".into(), Leaf::Int(9_007_199_254_740_993)),
                ("extra.list".into(), Leaf::Json("[1,2]".into())),
                ("extra.n".into(), Leaf::Null),
                ("extra.on".into(), Leaf::Bool(true)),
            ]
        );
        assert_eq!(leaves("no json"), [("extra".to_owned(), Leaf::Text("no json".into()))]);
    }

    #[test]
    fn what_lies_too_deep_is_one_text() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60));
        let found = leaves(&deep);
        assert_eq!(found.len(), 1);
        assert!(matches!(found[0].1, Leaf::Json(_)));
        assert_eq!(found[0].0.matches(".a").count(), MAX_JSON_DEPTH);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = leaves(&text);
        }
    }
}
