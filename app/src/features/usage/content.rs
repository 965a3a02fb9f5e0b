//! The page's content: what is slowed down or held back, the limits with what is used of them, and the days.

use clarity_domain::{
    plan::Limit,
    view::usage::{Meter, Usage, UsageDay},
};
use leptos::prelude::*;

use super::model;
use crate::{
    layout::page::{Crumb, Page},
    ui::{
        card::Card,
        note::Banner,
        number,
        pill::{Pill, Tone},
        progress,
        table::{Column, Table},
        time::{Detail, Time},
    },
};

#[component]
pub fn UsageContent(page: Usage) -> impl IntoView {
    let ends = page.month_ends_at;
    let held = page.held_for().map(move |limit| {
        let words = match limit {
            Limit::BytesPerMonth => "120 % of the month's data is used.",
            _ => "120 % of the month's events are used.",
        };
        view! {
            <Banner tone=Tone::Bad>
                {words} " New data waits in the agents' spools until " <Time at=Some(ends) detail=Detail::Day/>
                " or until the plan is changed. Nothing is lost while the spools have room."
            </Banner>
        }
    });
    let slowed = page.slowed_since.map(|since| {
        view! {
            <Banner tone=Tone::Warn>
                "Slowed by the plan's rate since " <Time at=Some(since) detail=Detail::Day/>
                ": what is too fast waits in the agents' spools, in order."
            </Banner>
        }
    });
    let plan = page.plan.name();
    let region = (!page.region.is_empty()).then(|| format!(". Region: {}", page.region));
    let meters = page.meters.into_iter().map(|meter| view! { <Row meter/> }).collect_view();
    let days = page.days.into_iter().map(|day| view! { <Day day/> }).collect_view();
    let limits = ["Limit", "Used", "State"].map(Column::new).to_vec();
    let columns =
        vec![Column::new("Day (UTC)"), Column::end("Events"), Column::end("Received"), Column::end("Exports")];
    view! {
        <Page crumbs=vec![Crumb::here("Plan and usage")]>
            <div class="cs-head">
                <div class="cs-head__text">
                    <h1>"Plan and usage"</h1>
                    <p>"Plan: " <b>{plan}</b> {region} ". The month's figures begin anew on " <Time at=Some(ends) detail=Detail::Day/></p>
                </div>
            </div>
            <div class="cs-stack">
                {held}
                {slowed}
                <Card title="Limits" remark="what happens at each is said beside it">
                    <div class="cs-table-scroll"><Table caption="Limits of the plan" columns=limits>{meters}</Table></div>
                </Card>
                <Card title="Another plan">
                    <p>"The plan is set by whoever runs Clarity Stream for you. Write to them to have it, or one of its limits, changed: it holds within a minute."</p>
                </Card>
                <Card title="By day" remark="thirty days; as it was received, whatever was removed since">
                    <div class="cs-table-scroll"><Table caption="Usage by day" columns>{days}</Table></div>
                </Card>
            </div>
        </Page>
    }
}

#[component]
fn Row(meter: Meter) -> impl IntoView {
    let Meter { limit, used, at_most, standing, agreed } = meter;
    let words = model::meter_words(&meter);
    let bar = match (used, at_most) {
        (Some(used), Some(at_most)) => view! { <progress::Meter label=limit.name() used at_most words/> }.into_any(),
        _ => view! { <span>{words}</span> }.into_any(),
    };
    let state = used.zip(at_most).map(|_| {
        let tone = model::tone(standing);
        view! { <Pill tone text=model::standing_words(standing).to_owned()/> }
    });
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-usage__limit">{limit.name()}<small>{limit.at_the_limit()}</small></th>
            <td data-label="Used">{bar}{agreed.then(|| view! { <small class="cs-quiet">"agreed for this workspace"</small> })}</td>
            <td data-label="State">{state}</td>
        </tr>
    }
}

#[component]
fn Day(day: UsageDay) -> impl IntoView {
    let (size, unit) = number::bytes(day.bytes);
    view! {
        <tr>
            <th scope="row">{day.day}</th>
            <td data-label="Events" data-align="end">{number::whole(day.events)}</td>
            <td data-label="Received" data-align="end">{format!("{size} {unit}")}</td>
            <td data-label="Exports" data-align="end">{number::whole(day.exports)}</td>
        </tr>
    }
}
