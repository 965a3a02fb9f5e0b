//! The assets, worst first, with what they do and their last values.

use clarity_domain::{
    ids::AssetId,
    view::overview::{AssetRow, Latest, Overview, OverviewQuery},
};
use leptos::prelude::*;

use super::model;
use crate::{
    paths,
    ui::{
        card::Card,
        number::{self, Number},
        pill::Pill,
        table::{Column, Pager, Table},
        time::{Ago, Clock},
    },
};

/// Why a value that there is is not shown.
const HIDDEN: &str = "hidden by your workspace's masking";

#[component]
pub fn Assets(state: RwSignal<Overview>, slug: String, query: OverviewQuery) -> impl IntoView {
    let (total, per_page, metrics, ids, base) = state.with_untracked(|overview| {
        let metrics = overview
            .assets
            .iter()
            .map(|row| &row.latest)
            .max_by_key(|latest| latest.len())
            .cloned()
            .unwrap_or_default();
        (
            overview.assets_total,
            overview.assets_per_page,
            metrics.into_iter().map(|latest| latest.metric).collect::<Vec<_>>(),
            overview.assets.iter().map(|row| row.id).collect::<Vec<_>>(),
            overview.as_of,
        )
    });
    let mut columns = vec![Column::new("Asset"), Column::new("Line"), Column::new("State")];
    columns.extend(metrics.iter().map(Column::end));
    columns.push(Column::end("Updated"));
    let remark = if (ids.len() as u32) < total {
        format!("{} of {}", ids.len(), number::whole(total.into()))
    } else {
        number::whole(total.into())
    };
    let rows = {
        let (slug, query) = (slug.clone(), query.clone());
        ids.into_iter()
            .map(move |id| {
                let href = paths::overview(&slug, &OverviewQuery { asset: Some(id), page: 0, ..query.clone() });
                view! { <Row state id href metrics=metrics.clone() base/> }
            })
            .collect_view()
    };
    let page = |page| paths::overview(&slug, &OverviewQuery { page, ..query.clone() });
    let (previous, next) = (page(query.page.saturating_sub(1)), page(query.page + 1));
    let everything =
        query.asset.is_some().then(|| paths::overview(&slug, &OverviewQuery { asset: None, ..query.clone() }));
    let aside = everything.map(|href| view! { <a class="cs-link" href=href>"Show all assets"</a> }).into_any();
    view! {
        <Card title="Assets" remark aside>
            <Table caption="Assets, worst state first" columns dense=true>{rows}</Table>
            <Pager page=query.page per_page total previous next/>
        </Card>
    }
}

#[component]
fn Row(state: RwSignal<Overview>, id: AssetId, href: String, metrics: Vec<String>, base: i64) -> impl IntoView {
    let clock: Clock = expect_context();
    let row = Memo::new(move |_| state.with(|overview| model::asset(overview, id)));
    let of = move |read: fn(&AssetRow) -> String| {
        Signal::derive(move || row.with(|row| row.as_ref().map(read).unwrap_or_default()))
    };
    let tone =
        Signal::derive(move || row.with(|row| row.as_ref().map(|row| model::tone(row.state)).unwrap_or_default()));
    let words = Memo::new(move |_| {
        let now = clock.now().unwrap_or(base);
        row.with(|row| row.as_ref().map(|row| model::state_words(row.state, row.state_since, now)).unwrap_or_default())
    });
    let why = move || {
        row.with(|row| row.as_ref().and_then(|row| row.state_reason.clone().or_else(|| row.state_label.clone())))
    };
    let cells = metrics
        .into_iter()
        .map(|metric| {
            let latest = Memo::new(move |_| row.with(|row| row.as_ref().and_then(|row| find(row, &metric))));
            let value = Signal::derive(move || {
                latest.with(|latest| latest.as_ref().and_then(|latest| latest.value).map(number::measured))
            });
            let unit = Signal::derive(move || {
                latest.with(|latest| latest.as_ref().and_then(|latest| latest.unit.clone()).unwrap_or_default())
            });
            let hidden = move || latest.with(|latest| latest.as_ref().is_some_and(|latest| latest.hidden));
            view! {
                <td data-align="end" title=move || hidden().then_some(HIDDEN)>
                    <Number value unit/>
                    {move || hidden().then(|| view! { <span class="cs-visually-hidden">", " {HIDDEN}</span> })}
                </td>
            }
        })
        .collect_view();
    let updated = Memo::new(move |_| {
        row.with(|row| row.as_ref().and_then(|row| row.latest.iter().filter_map(|latest| latest.at).max()))
    });
    view! {
        <tr>
            <th scope="row"><a class="cs-overview__asset" href=href>{of(|row| row.name.clone())}</a></th>
            <td class="cs-overview__line">{of(|row| row.line.clone().unwrap_or_else(|| "–".into()))}</td>
            <td class="cs-overview__state">
                <span class="cs-row"><Pill tone text=words/><span class="cs-quiet">{why}</span></span>
            </td>
            {cells}
            <td data-align="end"><Ago at=updated base/></td>
        </tr>
    }
}

fn find(row: &AssetRow, metric: &str) -> Option<Latest> {
    row.latest.iter().find(|latest| latest.metric == metric).cloned()
}
