//! The Overview: figures, one chart, states, assets; kept up to date by the page's event stream. While there is no machine,
//! `features::set_up` draws the page instead.

pub mod api;
mod assets;
mod chart;
mod figures;
mod model;
mod range;
mod reasons;
mod set_up;
mod states;

use clarity_domain::view::{
    overview::{Overview, OverviewQuery},
    range::TimeRange,
};
use leptos::prelude::*;

use super::live::{self, Link};
use range::RangeMenu;

pub use chart::lines;
pub use figures::Figures;
pub use model::{state_words, tone};
pub use reasons::Reasons;
pub use set_up::SetUpNote;
pub use states::States;

use crate::{
    layout::page::{Crumb, Page},
    paths,
    ui::{
        number,
        time::{Detail, Time},
    },
};

/// The page's content. Made anew for each read; live updates change it in place.
#[component]
pub fn OverviewContent(slug: String, query: OverviewQuery, overview: Overview) -> impl IntoView {
    // Without a range in the URL the server has chosen one, which the event stream then has to keep to.
    let range = query.range.unwrap_or_else(|| TimeRange::last(overview.to - overview.from));
    let moving = range.is_moving();
    let url = paths::live_overview(&slug, &OverviewQuery { range: Some(range), ..query.clone() }, overview.as_of);
    let set_up = overview.set_up.map(|over| view! { <SetUpNote slug=slug.clone() over/> });
    let state = RwSignal::new(overview);
    let link = live::follow(url, "overview", move |update| {
        state.try_update(|overview| model::apply(overview, update, moving));
    });
    let freshness = Memo::new(move |_| state.with(|overview| overview.freshness.clone()));
    let badge = view! { <live::LiveBadge freshness link/> }.into_any();
    let acts = view! { <RangeMenu slug=slug.clone() query=query.clone() range/> }.into_any();
    view! {
        <Page crumbs=vec![Crumb::here("Overview")] badge acts>
            <Head state link/>
            {set_up}
            <div class="cs-grid">
                <figures::Figures state/>
                <chart::ChartCard state slug=slug.clone() query=query.clone()/>
                <reasons::Reasons state/>
                <states::States state/>
                <assets::Assets state slug query/>
            </div>
        </Page>
    }
}

/// Title, and how far behind the machines this is.
#[component]
fn Head(state: RwSignal<Overview>, link: Signal<Link>) -> impl IntoView {
    let behind = Memo::new(move |_| state.with(|overview| overview.freshness.behind_ms.map(number::lag)));
    let data_at = Memo::new(move |_| state.with(|overview| overview.freshness.data_at));
    let words = move || match (link.get(), behind.get()) {
        (Link::Lost | Link::Ended | Link::Outdated, _) => ", not updated at the moment".to_owned(),
        (_, Some((lag, unit))) => format!(", {lag} {unit} behind the machines"),
        (_, None) => String::new(),
    };
    view! {
        <div class="cs-head">
            <div class="cs-head__text">
                <h1>"Overview"</h1>
                <p class="cs-number">
                    {move || data_at.get().map(|at| view! { "Data until " <Time at=Some(at) detail=Detail::Second/> {words} })}
                    {move || data_at.get().is_none().then_some("No data yet")}
                </p>
            </div>
        </div>
    }
}
