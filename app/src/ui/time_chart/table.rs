//! The table behind a chart: at most 24 times, evenly spaced, with the value of each series.

use leptos::prelude::*;

use super::Lines;
use crate::ui::{
    number,
    time::{Detail, Time},
};

const ROWS: usize = 24;

/// Closed until it is wanted; its rows are written when it opens, and at once by the server.
pub fn behind(lines: Signal<Lines>) -> impl IntoView {
    let rows = move || {
        lines.with(|lines| {
            picked(lines.len())
                .into_iter()
                .map(|at| {
                    let time = lines.from + lines.step_us * at as i64;
                    let cells = lines
                        .series
                        .iter()
                        .map(|line| {
                            let value = line.values.get(at).copied().flatten();
                            view! { <td data-align="end">{value.map_or_else(|| "–".into(), number::measured)}</td> }
                        })
                        .collect_view();
                    view! { <tr><th scope="row"><Time at=Some(time) detail=Detail::Day/></th>{cells}</tr> }
                })
                .collect_view()
        })
    };
    let heads = move || {
        lines.with(|lines| {
            lines
                .series
                .iter()
                .map(|line| view! { <th scope="col" data-align="end">{line.name.clone()}</th> })
                .collect_view()
        })
    };
    let caption = move || {
        lines.with(|lines| format!("{}, {}", lines.name, if lines.unit.is_empty() { "no unit" } else { &lines.unit }))
    };
    view! {
        <details class="cs-behind">
            <summary>"Show as a table"</summary>
            <div class="cs-table-scroll" tabindex="0" role="region" aria-label=caption>
                <table class="cs-table">
                    <caption class="cs-visually-hidden">{caption}</caption>
                    <thead><tr><th scope="col">"Time"</th>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
}

/// Buckets shown of `len`: all when few, else evenly spaced and with the last.
fn picked(len: usize) -> Vec<usize> {
    if len <= ROWS {
        return (0..len).collect();
    }
    (0..ROWS).map(|n| n * (len - 1) / (ROWS - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::picked;

    #[test]
    fn the_first_and_the_last_are_always_there() {
        assert_eq!(picked(3), [0, 1, 2]);
        assert!(picked(0).is_empty());
        let many = picked(720);
        assert_eq!((many.len(), many[0], many[23]), (24, 0, 719));
        assert!(many.is_sorted());
    }
}
