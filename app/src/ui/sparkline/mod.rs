//! A line small enough for a row, drawn by the server; gaps are gaps.

use leptos::prelude::*;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 26.0;

#[component]
pub fn Sparkline(
    #[prop(into)] values: Signal<Vec<Option<f64>>>,
    /// For a screen reader: "events per minute, last hour".
    #[prop(into)]
    label: String,
    /// Which series colour; "idle" for grey.
    #[prop(default = "1")]
    tone: &'static str,
    /// With a soft ground below the line.
    #[prop(optional)]
    filled: bool,
    /// The scale begins near the least value, not at zero: for figures that stay near one level.
    #[prop(optional)]
    near: bool,
) -> impl IntoView {
    let spoken = move || match values.with(|values| values.iter().flatten().copied().reduce(f64::max)) {
        Some(most) => format!("{label}: at most {}", super::number::rate(most)),
        None => format!("{label}: nothing known"),
    };
    let runs = Memo::new(move |_| values.with(|values| runs(values, near)));
    let line = move || runs.with(|runs| runs.iter().map(|run| path(run)).collect::<String>());
    let area = move || {
        filled.then(|| {
            runs.with(|runs| {
                runs.iter()
                    .map(|run| format!("{}L{:.1},{HEIGHT}L{:.1},{HEIGHT}Z", path(run), run[run.len() - 1].0, run[0].0))
                    .collect::<String>()
            })
        })
    };
    view! {
        <svg class="cs-spark" role="img" aria-label=spoken data-tone=tone viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none">
            <path class="cs-spark__area" d=area></path>
            <path class="cs-spark__line" d=line></path>
        </svg>
    }
}

/// Runs of known values as points. The scale starts at zero, so that a quiet source lies on the ground; a near one shows
/// at least the upper tenth, so that a wobble does not look like a fall.
fn runs(values: &[Option<f64>], near: bool) -> Vec<Vec<(f64, f64)>> {
    let most = values.iter().flatten().copied().fold(0.0_f64, f64::max);
    let ground = if near { values.iter().flatten().copied().fold(most * 0.9, f64::min).max(0.0) } else { 0.0 };
    let scale = if most > 0.0 { (HEIGHT - 2.0) / (most - ground) } else { 0.0 };
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let points: Vec<Option<(f64, f64)>> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            value.filter(|v| v.is_finite()).map(|v| (at as f64 * step, HEIGHT - 1.0 - (v - ground).max(0.0) * scale))
        })
        .collect();
    points
        .split(Option::is_none)
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().flatten().copied().collect())
        .collect()
}

/// A value alone is a dot: the line's caps are round.
fn path(run: &[(f64, f64)]) -> String {
    let dot = if run.len() == 1 { "h0" } else { "" };
    let points = run.iter().enumerate().map(|(at, (x, y))| format!("{}{x:.1},{y:.1}", if at == 0 { 'M' } else { 'L' }));
    points.collect::<String>() + dot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_splits_the_line() {
        let runs = runs(&[Some(0.0), Some(2.0), None, Some(1.0)], false);
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(runs[0][0], (0.0, HEIGHT - 1.0));
        assert_eq!(runs[0][1].1, 1.0);
        assert_eq!(path(&runs[0]), "M0.0,25.0L40.0,1.0");
        assert_eq!(path(&runs[1]), "M120.0,13.0h0");
    }

    #[test]
    fn nothing_known_draws_nothing_and_zero_lies_on_the_ground() {
        for near in [false, true] {
            assert!(runs(&[], near).is_empty());
            assert!(runs(&[None, None], near).is_empty());
            assert!(runs(&[Some(0.0), Some(0.0)], near)[0].iter().all(|p| p.1 == HEIGHT - 1.0));
        }
    }

    #[test]
    fn a_near_scale_shows_a_tenth_or_all_there_is() {
        let y = |values: &[Option<f64>]| runs(values, true)[0].iter().map(|p| p.1).collect::<Vec<_>>();
        assert_eq!(y(&[Some(100.0), Some(95.0)]), [1.0, 13.0]);
        assert_eq!(y(&[Some(100.0), Some(50.0)]), [1.0, HEIGHT - 1.0]);
    }
}
