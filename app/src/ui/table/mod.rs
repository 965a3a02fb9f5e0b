//! A table. On a phone each row becomes a card: cells with a `data-label` show it before their value. A dense one keeps
//! its columns there in two lines a row: name and state, below them place, first value and age.

use leptos::prelude::*;

/// A column's head.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub end: bool,
}

impl Column {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), end: false }
    }

    /// For numbers: aligned right.
    pub fn end(name: impl Into<String>) -> Self {
        Self { name: name.into(), end: true }
    }
}

#[component]
pub fn Table(
    /// What the table is, for a screen reader.
    #[prop(into)]
    caption: String,
    columns: Vec<Column>,
    /// On a phone two lines a row. The columns are name, place, state, values, age.
    #[prop(optional)]
    dense: bool,
    /// The rows, as `<tr>`.
    children: Children,
) -> impl IntoView {
    let heads = columns
        .into_iter()
        .map(|column| view! { <th scope="col" data-align=column.end.then_some("end")>{column.name}</th> })
        .collect_view();
    view! {
        <table class="cs-table" data-stack=if dense { "lines" } else { "cards" }>
            <caption class="cs-visually-hidden">{caption}</caption>
            <thead>
                <tr>{heads}</tr>
            </thead>
            <tbody>{children()}</tbody>
        </table>
    }
}

/// Where one is in a long list, with links to the pages beside it.
#[component]
pub fn Pager(
    /// From 0.
    page: u32,
    per_page: u32,
    total: u32,
    previous: String,
    next: String,
) -> impl IntoView {
    let (first, last) = bounds(page, per_page, total);
    (total > per_page).then(|| {
        view! {
            <nav class="cs-pager" aria-label="Pages">
                <span class="cs-number">{format!("{first} to {last} of {total}")}</span>
                <span class="cs-row">
                    {(page > 0).then(|| view! { <a class="cs-button" data-kind="plain" rel="prev" href=previous>"Previous"</a> })}
                    {(last < total).then(|| view! { <a class="cs-button" data-kind="plain" rel="next" href=next>"Next"</a> })}
                </span>
            </nav>
        }
    })
}

/// Links to the pages beside this one, in a list that is read by place and not by number.
#[component]
pub fn Turner(
    /// What is shown.
    #[prop(into)]
    words: String,
    newer: Option<String>,
    older: Option<String>,
    /// What leads to them is called, where the list does not go by time.
    #[prop(default = ["Newer", "Older"])]
    labels: [&'static str; 2],
) -> impl IntoView {
    let [back, on] = labels;
    view! {
        <nav class="cs-pager" aria-label="Pages">
            <span class="cs-number">{words}</span>
            <span class="cs-row">
                {newer.map(|href| view! { <a class="cs-button" data-kind="plain" rel="prev" href=href>{back}</a> })}
                {older.map(|href| view! { <a class="cs-button" data-kind="plain" rel="next" href=href>{on}</a> })}
            </span>
        </nav>
    }
}

/// First and last row of a page, counted from 1.
fn bounds(page: u32, per_page: u32, total: u32) -> (u32, u32) {
    let first = page.saturating_mul(per_page).min(total);
    ((first + 1).min(total), first.saturating_add(per_page).min(total))
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn pages_end_where_the_rows_end() {
        assert_eq!(bounds(0, 25, 100), (1, 25));
        assert_eq!(bounds(3, 25, 80), (76, 80));
        assert_eq!(bounds(9, 25, 80), (80, 80));
        assert_eq!(bounds(0, 25, 0), (0, 0));
    }
}
