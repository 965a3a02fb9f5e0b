//! One entry in full: what it says, what changed, and its place in the chain.

use clarity_domain::{audit::act_words, view::audit::AuditEntry};
use leptos::prelude::*;

use super::model;
use crate::ui::{
    button::{Kind, LinkButton},
    card::Card,
    pill::Pill,
    table::{Column, Table},
    time::{Detail, Time},
};

#[component]
pub fn Entry(
    entry: AuditEntry,
    /// The page without it.
    close: String,
) -> impl IntoView {
    let AuditEntry { row, actor_id, object_id, request_id, changes, previous_hash, hash } = entry;
    let (who, below) = model::actor(&row);
    let (tone, word) = model::outcome(row.outcome);
    let who = [who, below, actor_id.unwrap_or_default()];
    let object =
        [row.object_kind.clone(), row.object.clone(), if object_id == row.object { String::new() } else { object_id }];
    let title = format!("Entry {}: {}", row.seq, act_words(&row.act));
    let aside = view! { <LinkButton kind=Kind::Quiet href=close>"Close"</LinkButton> }.into_any();
    let changes = (!changes.is_empty()).then(|| {
        let lines = changes
            .into_iter()
            .map(|change| {
                view! {
                    <tr>
                        <th scope="row">{change.field}</th>
                        <td data-label="Before">{change.before.unwrap_or_else(|| "–".into())}</td>
                        <td data-label="After">{change.after.unwrap_or_else(|| "–".into())}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = ["Field", "Before", "After"].map(Column::new).to_vec();
        view! { <div class="cs-audit__changes"><Table caption="What changed" columns>{lines}</Table></div> }
    });
    view! {
        <Card title aside>
            <dl class="cs-facts">
                <div><dt>"Time"</dt><dd><Time at=Some(row.at) detail=Detail::Exact/></dd></div>
                <div><dt>"Person"</dt><dd>{joined(&who)}</dd></div>
                <div><dt>"Outcome"</dt><dd><Pill tone text=word/></dd></div>
                <div><dt>"Object"</dt><dd>{joined(&object)}</dd></div>
                <div><dt>"Address"</dt><dd>{joined(&[row.address])}</dd></div>
                <div><dt>"Request"</dt><dd>{joined(&[request_id.unwrap_or_default()])}</dd></div>
            </dl>
            {changes}
            <details class="cs-behind">
                <summary>"Place in the chain"</summary>
                <p>"Hash of the entry before"<br/><code class="cs-audit__hash">{previous_hash}</code></p>
                <p>"Hash of this entry, over all of the above"<br/><code class="cs-audit__hash">{hash}</code></p>
            </details>
        </Card>
    }
}

/// What is known of it, in one line.
fn joined(parts: &[String]) -> String {
    let known: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if known.is_empty() { "–".into() } else { known.join(", ") }
}
