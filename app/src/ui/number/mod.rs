//! Numbers as people read them: a thin space in thousands, digits by size, the unit smaller and grey.

use std::fmt::Write as _;

use leptos::prelude::*;

const THIN: char = '\u{2009}';
const MINUS: char = '\u{2212}';

/// A measured value: 1 284, 84.2, 2.41, 0.031.
pub fn measured(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let digits = match value.abs() {
        size if size >= 9_999.5 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    group(&format!("{value:.digits$}"))
}

/// With so many digits after the point.
pub fn fixed(value: f64, digits: usize) -> String {
    group(&format!("{value:.digits$}"))
}

/// Two digits after the point, for coordinates of drawings: a page has thousands.
pub fn push_hundredths(out: &mut String, value: f64) {
    let hundredths = (value * 100.0).round() as i64;
    let sign = if hundredths < 0 { "-" } else { "" };
    let size = hundredths.unsigned_abs();
    // Writing to a string cannot fail.
    let _ = write!(out, "{sign}{}.{:02}", size / 100, size % 100);
}

/// A count.
pub fn whole(value: u64) -> String {
    group(&value.to_string())
}

/// A rate: whole from 10 on, one digit below.
pub fn rate(value: f64) -> String {
    if value < 9.95 && value.fract() != 0.0 { group(&format!("{value:.1}")) } else { group(&format!("{value:.0}")) }
}

/// A share of 0 to 1 in per cent, without the sign.
pub fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// Bytes in the unit that leaves one to three digits before the point.
pub fn bytes(value: u64) -> (String, &'static str) {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut size, mut unit) = (value as f64, 0);
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let text = if unit == 0 || size >= 99.5 { format!("{size:.0}") } else { format!("{size:.1}") };
    let text = text.strip_suffix(".0").map(str::to_owned).unwrap_or(text);
    (text, UNITS[unit])
}

/// A lag: 0.2 s, 41 s, 18 min.
pub fn lag(ms: i64) -> (String, &'static str) {
    match ms.max(0) {
        ms if ms < 9_950 => (format!("{:.1}", ms as f64 / 1000.0), "s"),
        ms if ms < 120_000 => ((ms / 1000).to_string(), "s"),
        ms if ms < 7_200_000 => ((ms / 60_000).to_string(), "min"),
        ms if ms < 172_800_000 => ((ms / 3_600_000).to_string(), "h"),
        ms => ((ms / 86_400_000).to_string(), "days"),
    }
}

fn group(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::with_capacity(text.len() + 8);
    if sign {
        out.push(MINUS);
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// A number with its unit; "–" when it is not known.
#[component]
pub fn Number(
    #[prop(into)] value: Signal<Option<String>>,
    #[prop(optional, into)] unit: Signal<String>,
) -> impl IntoView {
    view! {
        <span class="cs-number">
            {move || value.get().unwrap_or_else(|| "–".into())}
            {move || (value.with(Option::is_some) && !unit.with(String::is_empty)).then(|| view! { <small>{unit.get()}</small> })}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_go_by_size() {
        for (value, text) in [
            (0.031, "0.031"),
            (2.414, "2.41"),
            (84.21, "84.2"),
            (642.35, "642.4"),
            (8_138.62, "8\u{2009}138.6"),
            (1_234_567.0, "1\u{2009}234\u{2009}567"),
            (-12.5, "\u{2212}12.5"),
            (f64::NAN, "–"),
            (9.999, "10.0"),
        ] {
            assert_eq!(measured(value), text);
        }
        assert_eq!(whole(7064), "7\u{2009}064");
        assert_eq!((rate(0.4), rate(912.4), rate(0.0)), ("0.4".into(), "912".into(), "0".into()));
        assert_eq!(percent(0.927), "92.7");
    }

    #[test]
    fn sizes_and_lags_have_one_unit() {
        assert_eq!(bytes(0), ("0".into(), "B"));
        assert_eq!(bytes(1_100_000), ("1.1".into(), "MB"));
        assert_eq!(bytes(212_000_000), ("212".into(), "MB"));
        assert_eq!(bytes(999_999), ("1".into(), "MB"));
        assert_eq!(bytes(20_000_000_000), ("20".into(), "GB"));
        assert_eq!(lag(200), ("0.2".into(), "s"));
        assert_eq!(lag(41_000), ("41".into(), "s"));
        assert_eq!(lag(-5), ("0.0".into(), "s"));
        assert_eq!(lag(1_080_000), ("18".into(), "min"));
    }
}
