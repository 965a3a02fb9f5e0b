//! States over time, as bars on one axis. Positions are shares of the range: any width, text size stays.

use clarity_domain::view::Micros;
use leptos::prelude::*;

use super::{
    number,
    time::{Clock, Detail, mark},
};

/// One bar, already in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub from: Micros,
    pub to: Micros,
    /// Key of the colour: running, set_up, idle, down, planned, unknown.
    pub state: &'static str,
    /// "Down 12 min, tool change".
    pub words: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub bars: Vec<Bar>,
}

#[component]
pub fn Timeline(#[prop(into)] rows: Signal<Vec<Row>>, #[prop(into)] range: Signal<(Micros, Micros)>) -> impl IntoView {
    let clock: Clock = expect_context();
    let axis = move || {
        let (from, to) = range.get();
        let detail = if to - from > 2 * clarity_domain::time::DAY { Detail::Day } else { Detail::Minute };
        (0..=4).map(|n| view! { <span>{mark(clock, from + (to - from) / 4 * n, detail)}</span> }).collect_view()
    };
    let draw = move || {
        let span = range.get();
        rows.get()
            .into_iter()
            .map(|row| {
                let spoken = spoken(&row);
                let bars = row
                    .bars
                    .into_iter()
                    .map(|bar| {
                        let (from, width) = place(&bar, span);
                        view! {
                            <i class="cs-timeline__bar" data-state=bar.state title=bar.words style=style(from, width)></i>
                        }
                    })
                    .collect_view();
                view! {
                    <div class="cs-timeline__row">
                        <span class="cs-timeline__name">{row.name}</span>
                        <div class="cs-timeline__track" role="img" aria-label=spoken>{bars}</div>
                    </div>
                }
            })
            .collect_view()
    };
    view! {
        <div class="cs-timeline">
            {draw}
            <div class="cs-timeline__axis" aria-hidden="true">{axis}</div>
        </div>
    }
}

fn style(from: f64, width: f64) -> String {
    let mut style = String::with_capacity(32);
    style.push_str("--from:");
    number::push_hundredths(&mut style, from);
    style.push_str("%;--width:");
    number::push_hundredths(&mut style, width);
    style.push('%');
    style
}

/// Start and width in per cent of the range, cut to it.
fn place(bar: &Bar, (from, to): (Micros, Micros)) -> (f64, f64) {
    let span = (to - from).max(1) as f64;
    let start = (bar.from.clamp(from, to) - from) as f64 / span * 100.0;
    let end = (bar.to.clamp(from, to) - from) as f64 / span * 100.0;
    (start, (end - start).max(0.0))
}

fn spoken(row: &Row) -> String {
    match row.bars.last() {
        Some(last) => format!("{}: {} intervals, last {}", row.name, row.bars.len(), last.words),
        None => format!("{}: nothing known", row.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_cut_to_the_range() {
        let bar = |from, to| Bar { from, to, state: "down", words: String::new() };
        assert_eq!(place(&bar(25, 75), (0, 100)), (25.0, 50.0));
        assert_eq!(place(&bar(-50, 10), (0, 100)), (0.0, 10.0));
        assert_eq!(place(&bar(90, 500), (0, 100)), (90.0, 10.0));
        assert_eq!(place(&bar(300, 500), (0, 100)).1, 0.0);
        assert_eq!(place(&bar(0, 1), (5, 5)).1, 0.0);
    }
}
