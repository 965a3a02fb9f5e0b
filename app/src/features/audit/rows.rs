//! The entries of a page, a line each.

use clarity_domain::{
    audit::act_words,
    view::audit::{AuditQuery, AuditRow},
};
use leptos::prelude::*;

use super::model;
use crate::{
    paths,
    ui::{
        pill::Pill,
        table::{Column, Table},
        time::{Detail, Time},
    },
};

#[component]
pub fn Rows(slug: String, query: AuditQuery, rows: Vec<AuditRow>) -> impl IntoView {
    let columns = ["Time", "Person", "Act", "Object", "Outcome", "Address"].map(Column::new).to_vec();
    let rows = rows
        .into_iter()
        .map(|row| {
            let href = paths::audit_log(&slug, &AuditQuery { entry: Some(row.seq), verify: false, ..query.clone() });
            let (who, below) = model::actor(&row);
            let (tone, word) = model::outcome(row.outcome);
            let words = act_words(&row.act).to_owned();
            view! {
                <tr>
                    <td data-label="Time"><Time at=Some(row.at) detail=Detail::Day/></td>
                    <td class="cs-table__wrap" data-label="Person"><span>{who}<small class="cs-under">{below}</small></span></td>
                    <th scope="row"><a class="cs-audit__act" href=href>{words}<span class="cs-visually-hidden">", entry " {row.seq}</span></a></th>
                    <td class="cs-table__wrap" data-label="Object">{object(&row)}</td>
                    <td data-beside=""><Pill tone text=word/></td>
                    <td data-label="Address"><span class="cs-number">{if row.address.is_empty() { "–".to_owned() } else { row.address }}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Audit log" columns>{rows}</Table> }
}

/// Its kind in grey before its name.
fn object(row: &AuditRow) -> AnyView {
    if row.object_kind.is_empty() {
        return view! { <span class="cs-quiet">"–"</span> }.into_any();
    }
    view! { <span><span class="cs-quiet">{row.object_kind.clone()}" "</span>{row.object.clone()}</span> }.into_any()
}
