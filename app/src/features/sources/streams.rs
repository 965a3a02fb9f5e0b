//! Streams, positions and gaps of a source, as tables.

use clarity_domain::view::sources::{Gap, PositionRow, StreamRow};
use leptos::prelude::*;

use super::model;
use crate::ui::{
    card::Card,
    icon::Symbol,
    note::EmptyNote,
    number,
    progress::Progress,
    table::{Column, Table},
    time::{Ago, Detail, Time},
};

#[component]
pub fn Streams(streams: Vec<StreamRow>, base: i64) -> impl IntoView {
    let columns = vec![
        Column::new("Stream"),
        Column::new("Mapped as"),
        Column::new("Past"),
        Column::end("Events"),
        Column::end("Dead letters"),
        Column::end("Last event"),
    ];
    let remark = streams.len().to_string();
    let body = if streams.is_empty() {
        view! { <EmptyNote symbol=Symbol::Clock title="No stream yet" message="Streams appear when the agent has read the source's catalogue."/> }.into_any()
    } else {
        let rows = streams
            .into_iter()
            .map(|stream| {
                let past = match model::running(stream.snapshot.as_ref()) {
                    Some(done) => view! { <Progress label=format!("Reading {}", stream.name) at=done unit="rows"/> }.into_any(),
                    None => model::finished(stream.snapshot.as_ref()).unwrap_or_else(|| "–".into()).into_any(),
                };
                view! {
                    <tr>
                        <th scope="row">{stream.name}</th>
                        <td data-label="Mapped as">{stream.mapped_as.unwrap_or_else(|| "Not mapped, kept as it came".into())}</td>
                        <td data-label="Past">{past}</td>
                        <td data-align="end" data-label="Events">{number::whole(stream.events)}</td>
                        <td data-align="end" data-label="Dead letters">{number::whole(stream.dead_letters)}</td>
                        <td data-align="end" data-label="Last event"><Ago at=stream.last_event_at base/></td>
                    </tr>
                }
            })
            .collect_view();
        view! { <Table caption="Streams" columns>{rows}</Table> }.into_any()
    };
    view! { <Card title="Streams" remark>{body}</Card> }
}

#[component]
pub fn Positions(positions: Vec<PositionRow>, base: i64) -> impl IntoView {
    let columns = vec![
        Column::new("Position"),
        Column::new("In the source's log"),
        Column::end("Epoch"),
        Column::end("Sequence"),
        Column::end("At"),
    ];
    (!positions.is_empty()).then(|| {
        let dash = || "–".to_owned();
        let rows = positions
            .into_iter()
            .map(|row| {
                view! {
                    <tr>
                        <th scope="row">{row.what}</th>
                        <td data-label="In the source's log"><code>{row.position.unwrap_or_else(dash)}</code></td>
                        <td data-align="end" data-label="Epoch">{row.epoch.map_or_else(dash, |epoch| epoch.to_string())}</td>
                        <td data-align="end" data-label="Sequence">{row.seq.map_or_else(dash, |seq| number::whole(seq.max(0) as u64))}</td>
                        <td data-align="end" data-label="At"><Ago at=row.at base/></td>
                    </tr>
                }
            })
            .collect_view();
        view! { <Card title="Positions" remark="how far each part has come"><Table caption="Positions" columns>{rows}</Table></Card> }
    })
}

#[component]
pub fn Gaps(gaps: Vec<Gap>) -> impl IntoView {
    let columns =
        vec![Column::new("Noticed"), Column::new("Why"), Column::end("Epoch"), Column::end("From"), Column::end("To")];
    let body = if gaps.is_empty() {
        view! { <p class="cs-quiet">"None: every event of this source is here."</p> }.into_any()
    } else {
        let rows = gaps
            .into_iter()
            .map(|gap| {
                view! {
                    <tr>
                        <th scope="row"><Time at=Some(gap.noticed_at) detail=Detail::Day/></th>
                        <td data-label="Why" class="cs-table__wrap">{gap.why}</td>
                        <td data-align="end" data-label="Epoch">{gap.epoch}</td>
                        <td data-align="end" data-label="From">{number::whole(gap.from_seq.max(0) as u64)}</td>
                        <td data-align="end" data-label="To">{number::whole(gap.to_seq.max(0) as u64)}</td>
                    </tr>
                }
            })
            .collect_view();
        view! { <Table caption="Gaps" columns>{rows}</Table> }.into_any()
    };
    view! { <Card title="Gaps" remark="events that will not come">{body}</Card> }
}
