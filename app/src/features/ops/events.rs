//! What the platform's own people did at their own doors: filters, rows, and the way to older ones.

use clarity_domain::{
    ids::OpsEventId,
    support::OpsAct,
    view::support::{OpsEventFilter, OpsEventQuery, OpsEventRow, OpsEvents},
};
use leptos::prelude::*;

use super::OpsFrame;
use crate::{
    features::audit::{outcome, outcomes},
    paths,
    ui::{
        button::{Kind, LinkButton},
        filter::{FilterChoice, FilterInput, Filters},
        icon::Symbol,
        note::EmptyNote,
        pill::Pill,
        table::{Column, Table, Turner},
        time::{Detail, Time},
    },
};

#[component]
pub fn EventsContent(query: OpsEventQuery, page: OpsEvents) -> impl IntoView {
    let OpsEvents { person, rows, older, newer } = page;
    let filter = query.filter;
    let to = |before: Option<OpsEventId>, after: Option<OpsEventId>| {
        paths::ops_events(&OpsEventQuery { filter: filter.clone(), before, after })
    };
    let (newer, older) = (newer.map(|id| to(None, Some(id))), older.map(|id| to(Some(id), None)));
    let shown = match rows.len() {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    view! {
        <OpsFrame person=Some(person)>
            <p><a class="cs-link" href=paths::OPS>"All workspaces"</a></p>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Our own people"</h1><p>"Who came in at these doors, and who was refused. Kept for two years. What was looked at stands in the workspace's audit log"</p></div>
            </div>
            <section class="cs-card cs-stack">
                <Choice filter=filter.clone()/>
                {if rows.is_empty() {
                    none(&filter)
                } else {
                    view! { <Rows rows/><Turner words=shown newer older/> }.into_any()
                }}
            </section>
        </OpsFrame>
    }
}

#[component]
fn Choice(filter: OpsEventFilter) -> impl IntoView {
    let clear = (!filter.is_empty()).then(|| paths::OPS_EVENTS.to_owned());
    let act = filter.act.map(|act| act.as_str().to_owned());
    let outcome = filter.outcome.map(|outcome| outcome.as_str().to_owned());
    view! {
        <Filters action=paths::OPS_EVENTS.to_owned() label="Filter the entries" clear>
            <FilterInput name="person" label="Person" placeholder="Name or e-mail" value=filter.person/>
            <FilterChoice name="act" label="Act" choices=acts() value=act/>
            <FilterChoice name="outcome" label="Outcome" choices=outcomes() value=outcome/>
        </Filters>
    }
}

#[component]
fn Rows(rows: Vec<OpsEventRow>) -> impl IntoView {
    let columns = ["Act", "Time", "Person", "Outcome", "Address"].map(Column::new).to_vec();
    let rows = rows
        .into_iter()
        .map(|row| {
            let (tone, word) = outcome(row.outcome);
            let who = match row.who {
                Some(who) => view! { <span>{who.name}<small class="cs-under">{who.email}</small></span> }.into_any(),
                None => view! { <span class="cs-quiet">"nobody of ours"</span> }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{row.act.words()}</th>
                    <td data-label="Time"><Time at=Some(row.at) detail=Detail::Exact/></td>
                    <td class="cs-table__wrap" data-label="Person">{who}</td>
                    <td data-beside=""><Pill tone text=word/></td>
                    <td data-label="Address"><span class="cs-number">{if row.address.is_empty() { "a command".to_owned() } else { row.address }}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="What our own people did" columns>{rows}</Table></div> }
}

fn none(filter: &OpsEventFilter) -> AnyView {
    if filter.is_empty() {
        return view! { <EmptyNote symbol=Symbol::Shield title="No entries here" message="Sign-ins, refusals and new accounts are written down here."/> }
            .into_any();
    }
    view! {
        <EmptyNote symbol=Symbol::Search title="No entry fits" message="Nothing that was done fits all of these filters.">
            <LinkButton href=paths::OPS_EVENTS kind=Kind::Primary>"Show all entries"</LinkButton>
        </EmptyNote>
    }
    .into_any()
}

fn acts() -> Vec<(String, String)> {
    let mut all = vec![(String::new(), "All".to_owned())];
    all.extend(OpsAct::ALL.map(|act| (act.as_str().to_owned(), act.words().to_owned())));
    all
}
