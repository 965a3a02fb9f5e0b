//! The page's content: the check of the chain, one entry, the filters, the rows.

use clarity_domain::{
    audit::{ChainReport, Outcome},
    view::audit::{AuditFilter, AuditLog, AuditQuery},
};
use leptos::prelude::*;

use super::{entry::Entry, model, rows::Rows};
use crate::{
    layout::page::{Crumb, Page},
    paths,
    ui::{
        button::{Kind, LinkButton},
        filter::{FilterChoice, FilterInput, Filters},
        icon::Symbol,
        note::{Banner, EmptyNote},
        pill::Tone,
        table::Turner,
        time::{Detail, Time},
    },
};

#[component]
pub fn AuditContent(slug: String, query: AuditQuery, log: AuditLog) -> impl IntoView {
    let AuditLog { time_zone, rows, older, newer, entry, chain, .. } = log;
    let filter = query.filter.clone();
    let to = |query: AuditQuery| paths::audit_log(&slug, &query);
    let verify = to(AuditQuery { verify: true, ..query.clone() });
    let close = to(AuditQuery { entry: None, verify: false, ..query.clone() });
    let page = |before: Option<i64>, after: Option<i64>| {
        let filter = filter.clone();
        to(AuditQuery { filter, before, after, ..AuditQuery::default() })
    };
    let (newer, older) = (newer.map(|seq| page(None, Some(seq))), older.map(|seq| page(Some(seq), None)));
    let file = |ending: &str| paths::audit_file(&slug, &filter, ending);
    let (csv, ndjson) = (file("csv"), file("ndjson"));
    let missing = query.entry.is_some() && entry.is_none();
    let plain = paths::audit(&slug);
    let places = model::places(&rows);
    view! {
        <Page crumbs=vec![Crumb::here("Audit")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Audit"</h1><p>"Who did what in this workspace, when and from where. Nobody can change or remove an entry unseen"</p></div>
                <div class="cs-row">
                    <LinkButton href=verify>"Verify chain"</LinkButton>
                    // Files, not pages: the browser fetches them itself.
                    <LinkButton href=csv attr:rel="external">"Export CSV"</LinkButton>
                    <LinkButton href=ndjson attr:rel="external">"Export NDJSON"</LinkButton>
                </div>
            </div>
            <div class="cs-audit">
                {chain.map(|report| view! { <Chain report/> })}
                {missing.then(|| view! { <Banner tone=Tone::Warn>"There is no entry at this place."</Banner> })}
                {entry.map(|entry| view! { <Entry entry close/> })}
                <section class="cs-card cs-stack">
                    <Choice filter=filter.clone() action=plain.clone() time_zone/>
                    {if rows.is_empty() {
                        none(&filter, plain)
                    } else {
                        view! { <Rows slug=slug.clone() query rows/><Turner words=places newer older/> }.into_any()
                    }}
                </section>
            </div>
        </Page>
    }
}

/// What was checked and the result.
#[component]
fn Chain(report: ChainReport) -> impl IntoView {
    let tone = if report.broken.is_none() { Tone::Ok } else { Tone::Bad };
    let words = report.words();
    let (first, last) = (report.first_at, report.last_at);
    view! {
        <Banner tone alert=true>
            <p>{words}</p>
            {first.map(|_| view! { <p class="cs-audit__checked">"From " <Time at=first detail=Detail::Exact/> " to " <Time at=last detail=Detail::Exact/></p> })}
            <p class="cs-audit__checked">"Last hash checked: " <code class="cs-audit__hash">{report.head}</code></p>
        </Banner>
    }
}

#[component]
fn Choice(filter: AuditFilter, action: String, time_zone: String) -> impl IntoView {
    let clear = (!filter.is_empty()).then(|| action.clone());
    let outcome = filter.outcome.map(Outcome::as_str).map(str::to_owned);
    view! {
        <Filters action label="Filter the audit log" clear>
            <FilterInput name="from" label="From" kind="date" value=filter.from/>
            <FilterInput name="to" label="To" kind="date" value=filter.to/>
            <FilterChoice name="act" label="Act" choices=model::acts() value=filter.act/>
            <FilterChoice name="outcome" label="Outcome" choices=model::outcomes() value=outcome/>
            <FilterInput name="actor" label="Person" placeholder="Name or e-mail" value=filter.actor/>
            <FilterInput name="text" label="Text" placeholder="Object, address, value" value=filter.text/>
        </Filters>
        <small class="cs-audit__zone">"Days begin at midnight in " {time_zone}</small>
    }
}

fn none(filter: &AuditFilter, plain: String) -> AnyView {
    if filter.is_empty() {
        return view! { <EmptyNote symbol=Symbol::Shield title="No entries here" message="What people, agents and support do in this workspace is written down here."/> }
            .into_any();
    }
    view! {
        <EmptyNote symbol=Symbol::Search title="No entry fits" message="Nothing that was done fits all of these filters.">
            <LinkButton href=plain kind=Kind::Primary>"Show all entries"</LinkButton>
        </EmptyNote>
    }
    .into_any()
}
