//! What an owner lets one see, under a banner that says who let one and until when.

use clarity_domain::view::{
    Micros,
    support::{OpsAgentRow, OpsDeadLetterRow, OpsLook, OpsSourceRow},
};
use leptos::prelude::*;

use crate::ui::{
    card::Card,
    note::Banner,
    number,
    pill::Tone,
    table::{Column, Table},
    time::{Ago, Detail, Time},
};

#[component]
pub fn Look(look: OpsLook) -> impl IntoView {
    let OpsLook { as_of, grant, agents, sources, dead_letters } = look;
    view! {
        <Banner tone=Tone::Warn>
            {format!("{} lets you look until ", grant.approved_by)} <Time at=Some(grant.ends_at) detail=Detail::Minute/>
            ". Each look stands in the workspace's audit log, in both names."
        </Banner>
        <Card title="Agents"><Agents agents base=as_of/></Card>
        <Card title="Sources"><Sources sources base=as_of/></Card>
        <Card title="Dead letters" remark="open ones, by cause; no payloads"><DeadLetters dead_letters base=as_of/></Card>
    }
}

#[component]
fn Agents(agents: Vec<OpsAgentRow>, base: Micros) -> impl IntoView {
    if agents.is_empty() {
        return view! { <p class="cs-quiet">"There are none."</p> }.into_any();
    }
    let columns = ["Agent", "Version", "Connected", "Seen", "Refused because"].map(Column::new).to_vec();
    let rows = agents
        .into_iter()
        .map(|agent| {
            view! {
                <tr>
                    <th scope="row">{agent.name}</th>
                    <td data-label="Version">{agent.version}</td>
                    <td data-label="Connected">{if agent.connected { "yes" } else { "no" }}</td>
                    <td data-label="Seen"><Ago at=agent.seen_at base/></td>
                    <td class="cs-table__wrap" data-label="Refused because">{agent.denied.unwrap_or_else(|| "–".to_owned())}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Agents" columns>{rows}</Table></div> }.into_any()
}

#[component]
fn Sources(sources: Vec<OpsSourceRow>, base: Micros) -> impl IntoView {
    if sources.is_empty() {
        return view! { <p class="cs-quiet">"There are none."</p> }.into_any();
    }
    let mut columns = ["Source", "State", "Said", "Agent"].map(Column::new).to_vec();
    columns.extend(["Streams", "Durable events"].map(Column::end));
    columns.push(Column::new("Newest"));
    let rows = sources
        .into_iter()
        .map(|source| {
            let kind = if source.product.is_empty() { source.kind } else { source.product };
            let state = match (source.paused, source.state.is_empty()) {
                (true, _) => "paused".to_owned(),
                (false, true) => "–".to_owned(),
                (false, false) => source.state,
            };
            view! {
                <tr>
                    <th scope="row" class="cs-table__wrap">{source.name}<small>{kind}</small></th>
                    <td data-label="State">{state}</td>
                    <td data-label="Said"><Ago at=source.status_at base/></td>
                    <td data-label="Agent">{source.agent}</td>
                    <td data-label="Streams" data-align="end">{number::whole(source.streams.into())}</td>
                    <td data-label="Durable events" data-align="end">{number::whole(source.durable_events)}</td>
                    <td data-label="Newest"><Ago at=source.durable_at base/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Sources" columns>{rows}</Table></div> }.into_any()
}

#[component]
fn DeadLetters(dead_letters: Vec<OpsDeadLetterRow>, base: Micros) -> impl IntoView {
    if dead_letters.is_empty() {
        return view! { <p class="cs-quiet">"There are none."</p> }.into_any();
    }
    let columns = vec![
        Column::new("Cause"),
        Column::new("Source"),
        Column::new("Stream"),
        Column::end("Letters"),
        Column::new("Newest"),
    ];
    let rows = dead_letters
        .into_iter()
        .map(|group| {
            view! {
                <tr>
                    <th scope="row" class="cs-table__wrap">{group.cause}</th>
                    <td data-label="Source">{group.source}</td>
                    <td data-label="Stream">{group.stream}</td>
                    <td data-label="Letters" data-align="end">{number::whole(group.count)}</td>
                    <td data-label="Newest"><Ago at=Some(group.newest_at) base/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Dead letters" columns>{rows}</Table></div> }.into_any()
}
