//! The page of one source: what it is, what is wrong and how to fix it, streams, positions, gaps.

use clarity_domain::view::sources::{SourceDetail, SourceRow};
use leptos::prelude::*;

use super::{
    model,
    problems::Problems,
    streams::{Gaps, Positions, Streams},
};
use crate::{
    features::live::{self, LiveBadge},
    layout::page::{Crumb, Page},
    paths,
    ui::{
        card::Card,
        number::{self, Number},
        progress::Progress,
        sparkline::Sparkline,
        time::Ago,
    },
};

#[component]
pub fn SourceContent(slug: String, detail: SourceDetail) -> impl IntoView {
    let name = detail.source.name.clone();
    let lead = format!("{}, read by {}", detail.source.version, detail.source.agent);
    let base = detail.as_of;
    let (streams, positions, gaps) = (detail.streams.clone(), detail.positions.clone(), detail.gaps.clone());
    let url = paths::live_sources(&slug, detail.as_of);
    let state = RwSignal::new(detail);
    let link = live::follow(url, "sources", move |update| {
        state.try_update(|detail| model::apply_to_one(detail, update));
    });
    let source = Memo::new(move |_| state.with(|detail| detail.source.clone()));
    let freshness = Memo::new(move |_| source.with(|source| source.freshness.clone()));
    let badge = view! { <LiveBadge freshness link/> }.into_any();
    view! {
        <Page crumbs=vec![Crumb::to("Sources", paths::sources(&slug)), Crumb::here(name.clone())] badge>
            <div class="cs-head"><div class="cs-head__text"><h1>{name}</h1><p>{lead}</p></div></div>
            <div class="cs-stack">
                <Problems source/>
                <Facts source base/>
                <Streams streams base/>
                <Positions positions base/>
                <Gaps gaps/>
            </div>
        </Page>
    }
}

#[component]
fn Facts(source: Memo<SourceRow>, base: i64) -> impl IntoView {
    let of = move |read: fn(&SourceRow) -> Option<String>| Signal::derive(move || source.with(read));
    let minutes = Memo::new(move |_| source.with(|source| source.events_per_minute.clone()));
    let last = Memo::new(move |_| source.with(|source| source.last_event_at));
    let snapshot = Memo::new(move |_| source.with(|source| model::running(source.snapshot.as_ref())));
    view! {
        <Card title="Now" remark=Signal::derive(move || source.with(|source| source.freshness.why.clone()))>
            <dl class="cs-facts">
                <div><dt>"State"</dt><dd>{move || source.with(|source| model::state_word(source.state))}</dd></div>
                <div><dt>"Events per second"</dt><dd><Number value=of(|source| source.events_per_s.map(number::rate))/></dd></div>
                <div><dt>"Events, last hour"</dt><dd><Sparkline values=minutes label="Events per minute, last hour"/></dd></div>
                <div><dt>"Lag"</dt><dd><Number value=of(|source| model::lag(source.lag_ms))/></dd></div>
                <div><dt>"Last event"</dt><dd><Ago at=last base/></dd></div>
                <div>
                    <dt>"Log kept for us"</dt>
                    <dd><Number value=of(|source| model::bytes(source.log_kept_bytes))/> <span class="cs-sources__warn">{move || source.with(model::log_warning)}</span></dd>
                </div>
                <div>
                    <dt>"Spool on the agent"</dt>
                    <dd><Number value=of(|source| Some(format!("{} of {}", model::bytes(Some(source.spool_bytes))?, model::bytes(Some(source.spool_limit_bytes))?)))/></dd>
                </div>
                <div><dt>"Past"</dt><dd>{move || source.with(|source| model::finished(source.snapshot.as_ref())).unwrap_or_else(|| if snapshot.with(Option::is_some) { "being read".into() } else { "–".into() })}</dd></div>
            </dl>
            {move || snapshot.with(Option::is_some).then(|| view! { <Progress label="Reading the past" at=Signal::derive(move || snapshot.get().unwrap_or_default()) unit="rows"/> })}
        </Card>
    }
}
