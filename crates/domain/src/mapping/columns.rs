//! What a mapping needs to know of a column, whatever the source.

/// A column as its source describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    /// The source's type, e.g. `timestamptz`, `numeric(12,3)`, `text[]`.
    pub type_name: String,
    /// Part of the key.
    pub key: bool,
    pub comment: Option<String>,
}

/// What kind of values a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Integer,
    /// Floats and decimals.
    Number,
    Boolean,
    Text,
    Uuid,
    /// A point in time: timestamp, date.
    Time,
    Json,
    /// Arrays, bytes, ranges, intervals: kept as the source's text.
    Other,
}

impl ColumnType {
    /// Reads the source's name of a type; modifiers (`(12,3)`) do not matter.
    pub fn of(type_name: &str) -> Self {
        let lower = type_name.trim().to_lowercase();
        if lower.ends_with("[]") || lower.starts_with('_') {
            return Self::Other;
        }
        let base = lower.split('(').next().unwrap_or_default().trim();
        match base {
            "int2" | "int4" | "int8" | "smallint" | "integer" | "int" | "bigint" | "tinyint" | "mediumint"
            | "smallserial" | "serial" | "bigserial" | "oid" => Self::Integer,
            "float4" | "float8" | "real" | "double" | "double precision" | "float" | "numeric" | "decimal" => {
                Self::Number
            }
            "bool" | "boolean" => Self::Boolean,
            "text" | "varchar" | "character varying" | "char" | "character" | "bpchar" | "name" | "citext" | "enum"
            | "tinytext" | "mediumtext" | "longtext" => Self::Text,
            "uuid" => Self::Uuid,
            "date" | "datetime" => Self::Time,
            "json" | "jsonb" => Self::Json,
            _ if base.starts_with("timestamp") => Self::Time,
            _ => Self::Other,
        }
    }
}

/// The unit that a comment names: `unit: °C; temperature of the oil` is °C. Empty when it names none.
pub fn unit_of(comment: Option<&str>) -> &str {
    let comment = comment.unwrap_or_default();
    let found = comment.char_indices().map(|(i, _)| &comment[i..]).find_map(|rest| {
        let word = rest.get(..5)?;
        word.eq_ignore_ascii_case("unit:").then(|| &rest[5..])
    });
    found.map_or("", |rest| rest.split([';', ',', '\n']).next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_from_comments() {
        for (comment, unit) in [
            ("unit: °C; temperature 1", "°C"),
            ("oil temperature, Unit:mm/s", "mm/s"),
            ("unit: psia", "psia"),
            ("no unit given", ""),
            ("bypass ratio", ""),
            ("é", ""),
        ] {
            assert_eq!(unit_of(Some(comment)), unit, "{comment}");
        }
        assert_eq!(unit_of(None), "");
    }

    #[test]
    fn types_are_understood_with_their_modifiers() {
        for (name, is) in [
            ("numeric(12,3)", ColumnType::Number),
            ("timestamp with time zone", ColumnType::Time),
            ("timestamptz(3)", ColumnType::Time),
            ("character varying(40)", ColumnType::Text),
            ("text[]", ColumnType::Other),
            ("_int4", ColumnType::Other),
            ("BIGINT", ColumnType::Integer),
            ("interval", ColumnType::Other),
        ] {
            assert_eq!(ColumnType::of(name), is, "{name}");
        }
    }
}
