//! A source's cells as typed values. Times are read from the text forms that Postgres, MariaDB and ISO 8601 write.

use clarity_domain::time::Micros;
use clarity_wire::body::Cell;
use std::borrow::Cow;

/// Times that are kept: the years 1 to 9999. (Postgres' `infinity` is none.)
const FIRST: Micros = -62_135_596_800_000_000;
const LAST: Micros = 253_402_300_799_999_999;

/// A point in time from a cell: text, or a number of seconds, milliseconds or microseconds since 1970, told apart by size.
pub fn time_of(cell: &Cell<'_>) -> Option<Micros> {
    let at = match cell {
        Cell::Text(text) => parse_time(text)?,
        Cell::Int(n) => match n.unsigned_abs() {
            0..100_000_000_000 => n.checked_mul(1_000_000)?,
            100_000_000_000..100_000_000_000_000 => n.checked_mul(1_000)?,
            _ => *n,
        },
        Cell::Float(s) if s.abs() < 1e11 => (s * 1e6).round() as i64,
        Cell::Float(_) | Cell::Bool(_) | Cell::Null | Cell::Absent => return None,
    };
    (FIRST..=LAST).contains(&at).then_some(at)
}

/// `2026-11-23`, `2026-11-23 01:04:23.123456+05:30`, `2026-11-23T01:04:23Z`, `0044-03-15 12:00:00 BC`. Without an offset:
/// UTC.
pub fn parse_time(text: &str) -> Option<Micros> {
    let (text, before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4, 6)?;
    mark(&mut rest, b'-')?;
    let month = number(&mut rest, 2, 2)?;
    mark(&mut rest, b'-')?;
    let day = number(&mut rest, 2, 2)?;
    let year = if before_christ { 1 - year } else { year };
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let mut at = days_from_civil(year, month, day) * 86_400_000_000;
    if rest.is_empty() {
        return Some(at);
    }
    if !matches!(rest[0], b' ' | b'T' | b't') {
        return None;
    }
    rest = &rest[1..];
    let hour = number(&mut rest, 2, 2)?;
    mark(&mut rest, b':')?;
    let minute = number(&mut rest, 2, 2)?;
    let mut second = 0;
    if rest.first() == Some(&b':') {
        rest = &rest[1..];
        second = number(&mut rest, 2, 2)?;
    }
    if hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    at += (hour * 3600 + minute * 60 + second) * 1_000_000;
    if let Some(b'.' | b',') = rest.first() {
        rest = &rest[1..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let mut micros = 0;
        for i in 0..6 {
            micros = micros * 10 + rest.get(i).filter(|_| i < digits).map_or(0, |b| i64::from(b - b'0'));
        }
        at += micros;
        rest = &rest[digits..];
    }
    match rest.first() {
        None => Some(at),
        Some(b'Z' | b'z') if rest.len() == 1 => Some(at),
        Some(sign @ (b'+' | b'-')) => {
            let ahead = *sign == b'+';
            rest = &rest[1..];
            let mut offset = number(&mut rest, 2, 2)? * 3600;
            for unit in [60, 1] {
                if rest.first() == Some(&b':') {
                    rest = &rest[1..];
                }
                if !rest.is_empty() {
                    offset += number(&mut rest, 2, 2)? * unit;
                }
            }
            rest.is_empty().then_some(if ahead { at - offset * 1_000_000 } else { at + offset * 1_000_000 })
        }
        Some(_) => None,
    }
}

fn number(rest: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let digits = rest.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    if digits < least {
        return None;
    }
    let n = rest[..digits].iter().fold(0, |n, b| n * 10 + i64::from(b - b'0'));
    *rest = &rest[digits..];
    Some(n)
}

fn mark(rest: &mut &[u8], byte: u8) -> Option<()> {
    let after = rest.strip_prefix(&[byte])?;
    *rest = after;
    Some(())
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A number from a cell: numbers, decimals as text, NaN and infinities.
pub fn float_of(cell: &Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Float(n) => Some(*n),
        Cell::Int(n) => Some(*n as f64),
        Cell::Text(text) => parse_float(text),
        Cell::Bool(_) | Cell::Null | Cell::Absent => None,
    }
}

pub fn parse_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust reads "inf" and "nan" too, which no source means as numbers.
        _ if text.bytes().any(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// Whether a float says all that a decimal text says.
pub fn float_is_exact(text: &str) -> bool {
    let digits = text.bytes().take_while(|b| !matches!(b, b'e' | b'E')).filter(u8::is_ascii_digit);
    digits.skip_while(|b| *b == b'0').count() <= 15
}

pub fn int_of(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int(n) => Some(*n),
        Cell::Text(text) => text.parse().ok(),
        Cell::Float(_) | Cell::Bool(_) | Cell::Null | Cell::Absent => None,
    }
}

pub fn bool_of(cell: &Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Bool(b) => Some(*b),
        Cell::Text(text) => match text.as_ref() {
            "t" | "true" => Some(true),
            "f" | "false" => Some(false),
            _ => None,
        },
        Cell::Int(0) => Some(false),
        Cell::Int(1) => Some(true),
        Cell::Int(_) | Cell::Float(_) | Cell::Null | Cell::Absent => None,
    }
}

/// A cell as text that the database takes: it refuses U+0000, for which the symbol for it stands.
pub fn text_of<'a>(cell: &'a Cell<'_>) -> Option<Cow<'a, str>> {
    Some(match cell {
        Cell::Text(text) => clean(text),
        Cell::Int(n) => Cow::Owned(itoa::Buffer::new().format(*n).to_owned()),
        Cell::Float(n) => Cow::Owned(serde_json::Number::from_f64(*n).map_or_else(|| n.to_string(), |n| n.to_string())),
        Cell::Bool(b) => Cow::Borrowed(if *b { "true" } else { "false" }),
        Cell::Null | Cell::Absent => return None,
    })
}

pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_every_form() {
        let base = 1_795_395_863_000_000; // 2026-11-23T01:04:23Z
        for (text, at) in [
            ("2026-11-23 01:04:23+00", Some(base)),
            ("2026-11-23 01:04:23.5+00", Some(base + 500_000)),
            ("2026-11-23 01:04:23.123456789Z", Some(base + 123_456)),
            ("2026-11-23T06:34:23+05:30", Some(base)),
            ("2026-11-22 17:11:25-07:52:58", Some(base)),
            ("2026-11-23 01:04:23", Some(base)),
            ("2026-11-23", Some(base - 3_863_000_000)),
            ("1970-01-01", Some(0)),
            ("0001-01-01 00:00:00+00", Some(FIRST)),
            ("2024-02-29", Some(1_709_164_800_000_000)),
            ("2023-02-29", None),
            ("infinity", None),
            ("2026-13-01", None),
            ("2026-11-23 01:04:23+00x", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(parse_time(text), at, "{text}");
        }
        assert_eq!(time_of(&Cell::Text("0044-03-15 12:00:00 BC".into())), None, "before the year 1 nothing is kept");
        assert!(parse_time("0044-03-15 12:00:00 BC").is_some_and(|at| at < FIRST));
        assert_eq!(time_of(&Cell::Int(1_795_395_863)), Some(base));
        assert_eq!(time_of(&Cell::Int(1_795_395_863_000)), Some(base));
        assert_eq!(time_of(&Cell::Int(base)), Some(base));
    }

    proptest! {
        #[test]
        fn what_a_calendar_writes_is_read(at in FIRST..LAST) {
            let t = jiff::Timestamp::from_microsecond(at).unwrap();
            prop_assert_eq!(parse_time(&t.to_string()), Some(at));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse_time(&text);
            let _ = parse_float(&text);
            let _ = float_is_exact(&text);
        }
    }
}
