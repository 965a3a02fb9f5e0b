//! The Overview: figures, one chart, states, assets; kept up to date by the page's event stream.

pub mod api;
mod assets;
mod chart;
mod figures;
mod model;
mod range;
mod reasons;
mod states;

use clarity_domain::view::{
    overview::{Overview, OverviewQuery},
    range::TimeRange,
};
use leptos::prelude::*;

use super::live::{self, Link};
use range::RangeMenu;

use crate::{
    layout::page::{Crumb, Page},
    paths,
    ui::{
        button::{Kind, LinkButton},
        icon::Symbol,
        note::EmptyNote,
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
    let waiting = overview.assets_total == 0;
    let connected = overview.sources_total > 0;
    let state = RwSignal::new(overview);
    let link = live::follow(url, "overview", move |update| {
        state.try_update(|overview| model::apply(overview, update, moving));
    });
    let slug_ = slug.clone();
    let freshness = Memo::new(move |_| state.with(|overview| overview.freshness.clone()));
    let badge = view! { <live::LiveBadge freshness link/> }.into_any();
    let acts = view! { <RangeMenu slug=slug.clone() query=query.clone() range/> }.into_any();
    view! {
        <Page crumbs=vec![Crumb::here("Overview")] badge acts>
            <Head state link/>
            {if waiting {
                view! { <div class="cs-card"><Nothing slug=slug_ connected/></div> }.into_any()
            } else {
                view! {
                    <div class="cs-grid">
                        <figures::Figures state/>
                        <chart::ChartCard state slug=slug.clone() query=query.clone()/>
                        <reasons::Reasons state/>
                        <states::States state/>
                        <assets::Assets state slug query/>
                    </div>
                }
                    .into_any()
            }}
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

/// Nothing to show yet: what to do next.
#[component]
fn Nothing(slug: String, connected: bool) -> impl IntoView {
    if connected {
        view! {
            <EmptyNote symbol=Symbol::Clock title="Waiting for the first event" message="A source is connected. Machines appear here by themselves as soon as it sends its first event.">
                <LinkButton href=paths::sources(&slug)>"See the sources"</LinkButton>
            </EmptyNote>
        }
        .into_any()
    } else {
        view! {
            <EmptyNote symbol=Symbol::Plug title="No source is connected" message="Connect a database you already have. A small agent beside it calls out to us; nothing calls in.">
                <LinkButton href=paths::connect(&slug) kind=Kind::Primary>"Connect a source"</LinkButton>
            </EmptyNote>
        }
        .into_any()
    }
}
