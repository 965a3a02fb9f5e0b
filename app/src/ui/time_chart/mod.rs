//! Lines over time. The server draws them as SVG; the browser loads ECharts when it has time and draws over them in
//! the same place. A table with the same values stands behind.

#[cfg(feature = "hydrate")]
mod js;
#[cfg(feature = "ssr")]
pub mod option;
mod still;
mod table;

use clarity_domain::view::Micros;
use leptos::{html, prelude::*};

pub use still::Scale;

/// Series on one grid: value `i` belongs to `[from + i·step, from + (i+1)·step)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    pub name: String,
    pub unit: String,
    pub from: Micros,
    pub step_us: i64,
    pub series: Vec<Line>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub name: String,
    pub values: Vec<Option<f64>>,
}

impl Lines {
    /// Buckets of the longest series.
    pub fn len(&self) -> usize {
        self.series.iter().map(|line| line.values.len()).max().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|line| line.values.iter().all(Option::is_none))
    }

    pub fn to(&self) -> Micros {
        self.from + self.step_us * self.len() as i64
    }

    /// All values, series after series, NaN where there is a gap.
    pub fn flat(&self) -> Vec<f64> {
        let len = self.len();
        let padded = |line: &Line| {
            (0..len).map(|at| line.values.get(at).copied().flatten().unwrap_or(f64::NAN)).collect::<Vec<_>>()
        };
        self.series.iter().flat_map(padded).collect()
    }
}

/// `on_zoom` gets the range that was dragged over.
#[component]
pub fn TimeChart(#[prop(into)] lines: Signal<Lines>, on_zoom: Callback<(Micros, Micros)>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let drawn = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    js::mount(node, lines, drawn, on_zoom);
    #[cfg(not(feature = "hydrate"))]
    let _ = on_zoom;
    let spoken = move || {
        lines.with(|lines| {
            format!("{} of {} machines over time; the table below has the values", lines.name, lines.series.len())
        })
    };
    view! {
        <div class="cs-chart" role="img" aria-label=spoken data-drawn=move || drawn.get().to_string()>
            {still::still(lines, drawn)}
            <div class="cs-chart__canvas" node_ref=node></div>
        </div>
        {table::behind(lines)}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_series_end_in_gaps() {
        let lines = Lines {
            step_us: 10,
            from: 5,
            series: vec![
                Line { name: "a".into(), values: vec![Some(1.0), None] },
                Line { name: "b".into(), values: vec![Some(2.0)] },
            ],
            ..Lines::default()
        };
        let flat = lines.flat();
        assert_eq!((flat.len(), flat[0], flat[2]), (4, 1.0, 2.0));
        assert!(flat[1].is_nan() && flat[3].is_nan());
        assert_eq!(lines.to(), 25);
        assert!(!lines.is_empty() && Lines::default().is_empty());
    }
}
