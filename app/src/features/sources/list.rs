//! The list of sources with its figures, live.

use clarity_domain::{
    ids::SourceId,
    view::sources::{SourceRow, Sources, SourcesSummary},
};
use leptos::prelude::*;

use super::{
    agents::{Agents, Forms},
    model,
};
use crate::{
    features::live::{self, LiveBadge},
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::{
        button::{Kind, LinkButton},
        icon::Symbol,
        kpi::Kpi,
        note::EmptyNote,
        number::{self, Number},
        pill::{Pill, Tone},
        progress::Progress,
        sparkline::Sparkline,
        table::{Column, Table},
        time::Ago,
    },
};

#[component]
pub fn SourcesContent(slug: String, sources: Sources, forms: Forms) -> impl IntoView {
    let url = paths::live_sources(&slug, sources.as_of);
    let none = sources.sources.is_empty() && sources.agents.is_empty();
    let state = RwSignal::new(sources);
    let link = live::follow(url, "sources", move |update| {
        state.try_update(|sources| model::apply(sources, update));
    });
    let freshness = Memo::new(move |_| state.with(model::worst));
    let badge = view! { <LiveBadge freshness link/> }.into_any();
    let connect = paths::connect(&slug);
    let acts = view! { <LinkButton href=connect.clone() kind=Kind::Primary>"Connect a source"</LinkButton> }.into_any();
    let heading = Memo::new(move |_| state.with(model::heading));
    view! {
        <Page crumbs=vec![Crumb::here("Sources")] badge acts>
            <div class="cs-head"><div class="cs-head__text"><h1>"Sources"</h1><p>{heading}</p></div></div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                {if none {
                    view! {
                        <div class="cs-card">
                            <EmptyNote symbol=Symbol::Plug title="No source is connected" message="Connect a database you already have. It takes about two minutes, and credentials stay on your side.">
                                <LinkButton href=connect kind=Kind::Primary>"Connect a source"</LinkButton>
                            </EmptyNote>
                        </div>
                        <Agents slug=slug.clone() state forms/>
                    }
                        .into_any()
                } else {
                    view! { <div class="cs-grid"><Summary state/><List state slug=slug.clone()/><Agents slug=slug.clone() state forms/></div> }.into_any()
                }}
            </div>
        </Page>
    }
}

#[component]
fn Summary(state: RwSignal<Sources>) -> impl IntoView {
    let summary = Memo::new(move |_| state.with(|sources| sources.summary.clone()));
    let figure = move |read: fn(&SourcesSummary) -> Option<String>| Signal::derive(move || summary.with(read));
    let text = move |read: fn(&SourcesSummary) -> String| Signal::derive(move || summary.with(read));
    view! {
        <Kpi
            name="Events"
            value=figure(|s| s.events_per_s.map(number::rate))
            unit="per second"
            remark=text(|s| s.events_per_s_peak_today.map(|peak| format!("peak today {}", number::rate(peak))).unwrap_or_default())
        />
        <Kpi name="Durable after" value=figure(|s| s.durable_p99_ms.map(number::rate)) unit="ms, p99" remark="from receipt to committed"/>
        <Kpi
            name="Waiting on agents"
            value=figure(|s| Some(number::bytes(s.spool_bytes).0))
            unit=text(|s| number::bytes(s.spool_bytes).1.into())
            remark=text(|s| {
                let (limit, unit) = number::bytes(s.spool_limit_bytes);
                if s.spool_limit_bytes > 0 { format!("of {limit} {unit} spool") } else { String::new() }
            })
        />
        <Kpi
            name="Dead letters"
            value=figure(|s| Some(number::whole(s.dead_letters)))
            unit=text(|s| if s.dead_letters > 0 { format!("in {} cause{}", s.dead_letter_causes, if s.dead_letter_causes == 1 { "" } else { "s" }) } else { String::new() })
            remark=text(|s| if s.dead_letters == 0 { "every event was understood".into() } else { "kept for replay".into() })
        />
    }
}

#[component]
fn List(state: RwSignal<Sources>, slug: String) -> impl IntoView {
    let ids = Memo::new(move |_| state.with(|sources| sources.sources.iter().map(|row| row.id).collect::<Vec<_>>()));
    let columns = vec![
        Column::new("Source"),
        Column::new("State"),
        Column::new("Events, 1 h"),
        Column::end("Events/s"),
        Column::end("Lag"),
        Column::end("Log kept for us"),
        Column::end("Last event"),
    ];
    let slug = StoredValue::new(slug);
    view! {
        <section class="cs-card">
            <Table caption="Sources" columns>
                <For each=move || ids.get() key=|id| *id let:id>
                    <Row state id href=paths::source(&slug.get_value(), id)/>
                </For>
            </Table>
            {move || ids.with(Vec::is_empty).then(|| view! {
                <EmptyNote symbol=Symbol::Clock title="The agent is paired" message="It has announced no source yet. Add one to its configuration, then run clarity-agent doctor to see what it finds."/>
            })}
        </section>
    }
}

#[component]
fn Row(state: RwSignal<Sources>, id: SourceId, href: String) -> impl IntoView {
    let row = Memo::new(move |_| state.with(|sources| sources.sources.iter().find(|row| row.id == id).cloned()));
    let base = state.with_untracked(|sources| sources.as_of);
    let of = move |read: fn(&SourceRow) -> Option<String>| {
        Signal::derive(move || row.with(|row| row.as_ref().and_then(read)))
    };
    let text = move |read: fn(&SourceRow) -> Option<String>| move || row.with(|row| row.as_ref().and_then(read));
    let tone =
        Signal::derive(move || row.with(|row| row.as_ref().map_or(Tone::Idle, |row| live::tone(row.freshness.truth))));
    let word = Signal::derive(move || {
        row.with(|row| row.as_ref().map_or_else(String::new, |row| live::word(row.freshness.truth).into()))
    });
    let minutes =
        Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.events_per_minute.clone()).unwrap_or_default()));
    let last = Memo::new(move |_| row.with(|row| row.as_ref().and_then(|row| row.last_event_at)));
    let snapshot =
        Memo::new(move |_| row.with(|row| row.as_ref().and_then(|row| model::running(row.snapshot.as_ref()))));
    let warning = text(model::log_warning);
    view! {
        <tr>
            <th scope="row">
                <a class="cs-overview__asset" href=href>{text(|row| Some(row.name.clone()))}</a>
                <small>{text(|row| Some(format!("{}, {}", row.version, row.agent)))}</small>
            </th>
            <td class="cs-table__wrap">
                <Pill tone text=word/>
                <span class="cs-sources__why">{text(model::why)}</span>
                {move || row.with(|row| row.as_ref().and_then(|row| row.problems.first().map(|problem| view! { <span class="cs-sources__warn">{problem.message.clone()}</span> })))}
                {move || snapshot.with(Option::is_some).then(|| view! { <Progress label="Reading the past" at=Signal::derive(move || snapshot.get().unwrap_or_default()) unit="rows"/> })}
            </td>
            <td data-label="Events, 1 h"><Sparkline values=minutes label="Events per minute, last hour"/></td>
            <td data-align="end" data-label="Events/s"><Number value=of(|row| row.events_per_s.map(number::rate))/></td>
            <td data-align="end" data-label="Lag"><Number value=of(|row| model::lag(row.lag_ms))/></td>
            <td data-align="end" data-label="Log kept for us">
                <Number value=of(|row| model::bytes(row.log_kept_bytes))/>
                <span class="cs-sources__warn">{warning}</span>
            </td>
            <td data-align="end" data-label="Last event"><Ago at=last base/></td>
        </tr>
    }
}
