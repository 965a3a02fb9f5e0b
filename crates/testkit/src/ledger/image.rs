//! A row in few bytes: for each column what is known of it. A run of the fault tests folds millions of rows.

use clarity_wire::body::Cell;

/// What is known of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// No event has carried it yet.
    Absent,
    Null,
    /// Canonical text, see [`canonical`].
    Text(&'a str),
    /// The event was too large or unreadable, so bronze cannot know.
    Withheld,
}

const ABSENT: u8 = 255;
const NULL: u8 = 254;
const WITHHELD: u8 = 253;
/// The length follows in four bytes.
const LONG: u8 = 252;

/// Columns in order. Columns past its end are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Image(Box<[u8]>);

impl Image {
    pub fn of<'a>(columns: impl IntoIterator<Item = Known<'a>>) -> Self {
        let mut bytes = Vec::new();
        for column in columns {
            match column {
                Known::Absent => bytes.push(ABSENT),
                Known::Null => bytes.push(NULL),
                Known::Withheld => bytes.push(WITHHELD),
                Known::Text(text) => {
                    if text.len() < usize::from(LONG) {
                        bytes.push(text.len() as u8);
                    } else {
                        bytes.push(LONG);
                        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    }
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        Self(bytes.into())
    }

    /// The columns, then absent ones without end.
    pub fn columns(&self) -> impl Iterator<Item = Known<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let Some((&first, tail)) = rest.split_first() else { return Some(Known::Absent) };
            let (length, tail) = match first {
                ABSENT | NULL | WITHHELD => {
                    rest = tail;
                    return Some(match first {
                        ABSENT => Known::Absent,
                        NULL => Known::Null,
                        _ => Known::Withheld,
                    });
                }
                LONG => {
                    let (length, tail) = tail.split_first_chunk::<4>()?;
                    (u32::from_le_bytes(*length) as usize, tail)
                }
                length => (usize::from(length), tail),
            };
            let (text, tail) = tail.split_at_checked(length)?;
            rest = tail;
            std::str::from_utf8(text).ok().map(Known::Text)
        })
    }

    /// This image, its absent columns taken from `base`.
    pub fn over(&self, base: &Image, columns: usize) -> Self {
        let filled = self.columns().zip(base.columns()).take(columns);
        Self::of(filled.map(|(ours, theirs)| if ours == Known::Absent { theirs } else { ours }))
    }

    pub fn has_absent(&self, columns: usize) -> bool {
        self.columns().take(columns).any(|c| c == Known::Absent)
    }
}

/// Whether values of the type are written as JSON numbers, so that their text may differ while the value does not.
pub fn is_number(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8" | "float4" | "float8" | "oid")
}

/// One text for a value, whether it came as a cell or as Postgres wrote it. Equal texts are equal values, bit for bit.
pub fn canonical(text: &str, number: bool) -> String {
    if !number || text.parse::<i64>().is_ok_and(|i| i.to_string() == text) {
        return text.to_owned();
    }
    match text.parse::<f64>() {
        Ok(f) if f.is_finite() => of_float(f),
        _ => text.to_owned(),
    }
}

fn of_float(f: f64) -> String {
    let text = format!("{f:?}");
    // What Postgres writes as `100`, JSON's readers may give as 100.0.
    text.strip_suffix(".0")
        .filter(|whole| whole.parse::<i64>().is_ok_and(|i| i.to_string() == *whole))
        .map_or_else(|| text.clone(), str::to_owned)
}

/// The cell's canonical text; none for `null` and for an absent one.
pub fn of_cell(cell: &Cell<'_>, type_name: &str) -> Option<String> {
    Some(match cell {
        Cell::Absent | Cell::Null => return None,
        // As Postgres writes it without a cast.
        Cell::Bool(b) => if *b { "t" } else { "f" }.to_owned(),
        Cell::Int(i) => i.to_string(),
        Cell::Float(f) => of_float(*f),
        Cell::Text(text) => canonical(text, is_number(type_name)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_as_made_and_fills_what_is_absent() {
        let long = "x".repeat(70_000);
        let columns =
            [Known::Null, Known::Text(""), Known::Text(&long), Known::Absent, Known::Withheld, Known::Text("7")];
        let image = Image::of(columns);
        assert!(image.columns().take(6).eq(columns));
        assert!(image.has_absent(6) && !image.has_absent(3) && image.has_absent(7));
        let base = Image::of([Known::Text("a"), Known::Text("b"), Known::Text("c"), Known::Text("d")]);
        let filled = image.over(&base, 7);
        assert_eq!(filled.columns().nth(3), Some(Known::Text("d")));
        assert_eq!(filled.columns().next(), Some(Known::Null), "null is a value, not a hole");
        assert_eq!(filled.columns().nth(6), Some(Known::Absent));
    }

    #[test]
    fn one_text_for_one_value() {
        let float = |text: &str| {
            let json: f64 = serde_json::from_str(text).unwrap();
            (of_cell(&Cell::Float(json), "float8").unwrap(), canonical(text, true))
        };
        for text in ["554.36", "1e+20", "-0", "1e-300", "0.1", "123456.75", "1.7976931348623157e+308", "100.5"] {
            let (cell, postgres) = float(text);
            assert_eq!(cell, postgres, "{text}");
        }
        assert_eq!(canonical("100", true), of_cell(&Cell::Int(100), "float8").unwrap());
        assert_eq!(of_cell(&Cell::Float(100.0), "float8").unwrap(), "100");
        assert_eq!(canonical("NaN", true), of_cell(&Cell::Text("NaN".into()), "float8").unwrap());
        assert_ne!(canonical("0", true), canonical("-0", true));
        assert_eq!(canonical("007", false), "007");
        assert_eq!(of_cell(&Cell::Bool(true), "bool").unwrap(), "t");
        assert_ne!(canonical("0.1", true), canonical("0.10000000000000002", true));
    }
}
