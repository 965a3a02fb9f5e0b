//! What the colours of a chart mean.

use leptos::prelude::*;

/// Names of series in the order of their colours.
#[component]
pub fn SeriesLegend(#[prop(into)] names: Signal<Vec<String>>) -> impl IntoView {
    view! {
        <ul class="cs-legend" role="list">
            {move || names.get().into_iter().enumerate().map(|(at, name)| view! { <li><i data-series=at.to_string()></i>{name}</li> }).collect_view()}
        </ul>
    }
}

/// Words of states with the key of their colour.
#[component]
pub fn StateLegend(states: Vec<(&'static str, &'static str)>) -> impl IntoView {
    view! {
        <ul class="cs-legend" role="list">
            {states.into_iter().map(|(key, word)| view! { <li><i data-shape="box" data-state=key></i>{word}</li> }).collect_view()}
        </ul>
    }
}
