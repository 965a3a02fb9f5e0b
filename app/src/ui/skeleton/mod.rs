//! The shape of what is coming, in its size.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Title,
    Line,
    Value,
    Chart,
    Row,
}

#[component]
pub fn Skeleton(shape: Shape) -> impl IntoView {
    let shape = match shape {
        Shape::Title => "title",
        Shape::Line => "line",
        Shape::Value => "value",
        Shape::Chart => "chart",
        Shape::Row => "row",
    };
    view! { <span class="cs-skeleton" data-shape=shape></span> }
}

/// A page on its way: `figures` cards, then a card with `rows` rows.
#[component]
pub fn PageSkeleton(figures: usize, rows: usize, #[prop(optional)] chart: bool) -> impl IntoView {
    let figure = || view! { <div class="cs-card cs-kpi" data-span="3"><Skeleton shape=Shape::Line/><Skeleton shape=Shape::Value/><Skeleton shape=Shape::Line/></div> };
    view! {
        <div class="cs-page" role="status" aria-label="Loading">
            <div class="cs-head"><div class="cs-head__text"><Skeleton shape=Shape::Title/></div></div>
            <div class="cs-grid">
                {(0..figures).map(|_| figure()).collect_view()}
                {chart.then(|| view! { <div class="cs-card"><Skeleton shape=Shape::Chart/></div> })}
                <div class="cs-card">{(0..rows).map(|_| view! { <Skeleton shape=Shape::Row/> }).collect_view()}</div>
            </div>
        </div>
    }
}
