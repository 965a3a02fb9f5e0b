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
    parts(comment.unwrap_or_default()).1.trim()
}

/// What stands before `unit:`, the unit, and what stands after its end.
fn parts(comment: &str) -> (&str, &str, &str) {
    let is_unit = |at: &usize| comment.get(*at..at + 5).is_some_and(|word| word.eq_ignore_ascii_case("unit:"));
    let Some(at) = comment.char_indices().map(|(at, _)| at).find(is_unit) else { return (comment, "", "") };
    let rest = &comment[at + 5..];
    let end = rest.find([';', ',', '\n']).unwrap_or(rest.len());
    (&comment[..at], &rest[..end], rest.get(end + 1..).unwrap_or_default())
}

/// The longest comment that serves as a name.
const LONGEST_NAME: usize = 40;

/// What people read for a column: a short comment without its unit, else the column's name in words. `oil_pressure` is
/// "Oil pressure"; a code that people know as it is written (`t24`, `nf_dmd`, `OilP`) stays.
pub fn name_of(column: &ColumnInfo) -> String {
    let (before, _, after) = parts(column.comment.as_deref().unwrap_or_default());
    let said = [before, after].map(|part| part.trim().trim_matches([';', ',', ':', '.']).trim());
    match said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>()[..] {
        [said] if said.chars().count() <= LONGEST_NAME && !said.contains('\n') => capital(said),
        _ => in_words(&column.name),
    }
}

/// A column's name in words, where it consists of them.
fn in_words(name: &str) -> String {
    // A name all in capitals is how some databases write every name.
    let lower = if name.chars().any(char::is_lowercase) { name.to_owned() } else { name.to_lowercase() };
    let tokens: Vec<&str> = lower.split(['_', '-', ' ']).filter(|token| !token.is_empty()).collect();
    let plain = |token: &&str| {
        token.chars().all(|c| c.is_ascii_digit()) || token.chars().all(|c| c.is_alphabetic() && c.is_lowercase())
    };
    if tokens.iter().all(plain) && tokens.iter().any(|token| is_word(token)) {
        capital(&tokens.join(" "))
    } else {
        name.to_owned()
    }
}

/// Its first letter large, when it begins with a word, however short: `pH of the bath` and `nf speed` stay.
fn capital(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(letter) if is_spoken(first) => letter.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// Three small letters or more, with a vowel among them: `oil`, not `nf`, `dmd` or `t24`. Letters beyond ASCII count as
/// both, for words of other languages.
fn is_word(token: &str) -> bool {
    token.chars().count() >= 3 && is_spoken(token)
}

fn is_spoken(token: &str) -> bool {
    token.chars().all(|c| c.is_alphabetic() && c.is_lowercase())
        && token.chars().any(|c| "aeiouy".contains(c) || !c.is_ascii())
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

    fn named(name: &str, comment: Option<&str>) -> String {
        name_of(&ColumnInfo { name: name.into(), comment: comment.map(Into::into), ..ColumnInfo::default() })
    }

    #[test]
    fn a_short_comment_is_the_name() {
        for (comment, name) in [
            ("unit: °R; LPC outlet temperature", "LPC outlet temperature"),
            ("oil temperature, Unit:mm/s", "Oil temperature"),
            ("bypass ratio", "Bypass ratio"),
            ("pH of the bath.", "pH of the bath"),
            ("ölstand", "Ölstand"),
            ("unit: kg; ordered amount; simulated", "Ordered amount; simulated"),
            // Nothing is said, too much is said, or it is said in two places: the column's own name.
            ("unit: psia", "Oil pressure"),
            ("", "Oil pressure"),
            ("two\nlines", "Oil pressure"),
            ("oil, unit: bar; in the sump", "Oil pressure"),
            ("a sentence that goes on and says where and when", "Oil pressure"),
        ] {
            assert_eq!(named("oil_pressure", Some(comment)), name, "{comment}");
        }
    }

    #[test]
    fn words_become_words_and_codes_stay() {
        for (column, name) in [
            ("oil_pressure", "Oil pressure"),
            ("OIL_PRESSURE", "Oil pressure"),
            ("temperature", "Temperature"),
            ("tank_2_level", "Tank 2 level"),
            ("temp_c", "Temp c"),
            ("druck_öl", "Druck öl"),
            ("on-load", "On load"),
            ("t24", "t24"),
            ("T24", "T24"),
            ("t24_outlet", "t24_outlet"),
            ("nf_dmd", "nf_dmd"),
            ("rpm", "rpm"),
            ("RPM", "RPM"),
            ("OilPressure", "OilPressure"),
            ("_", "_"),
            ("", ""),
        ] {
            assert_eq!(named(column, None), name, "{column}");
        }
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
