//! What is left of a workspace: what went, when, and who asked for it. Fit to be printed.

use clarity_domain::view::deletion::{Certificate, ErasedTable};
use leptos::prelude::*;

use crate::{
    paths,
    ui::{
        brand::Brand,
        number,
        table::{Column, Table},
        time::{Detail, Time},
    },
};

#[component]
pub fn CertificateContent(certificate: Certificate) -> impl IntoView {
    let (rows, bytes) = certificate.total();
    let (size, unit) = number::bytes(bytes);
    let Certificate {
        name,
        workspace_id,
        requested_by,
        requested_at,
        due_at: _,
        begun_at,
        finished_at,
        first_audit_hash,
        last_audit_hash,
        tables,
    } = certificate;
    let total = format!("{} rows, {size} {unit}", number::whole(rows));
    let hash = |hash: Option<String>| hash.unwrap_or_else(|| "–".into());
    view! {
        <main class="cs-certificate" id="main">
            <Brand href=paths::HOME/>
            <h1>"Certificate of deletion"</h1>
            <p>"The workspace “" <b>{name}</b> "” and all that Clarity Stream kept of it are removed."</p>
            <dl class="cs-certificate__facts">
                <div><dt>"Workspace"</dt><dd>{workspace_id}</dd></div>
                <div><dt>"Asked for by"</dt><dd>{requested_by}</dd></div>
                <div><dt>"Asked for"</dt><dd><Time at=Some(requested_at) detail=Detail::Exact/></dd></div>
                <div><dt>"Closed"</dt><dd><Time at=Some(begun_at) detail=Detail::Exact/></dd></div>
                <div><dt>"Last row removed"</dt><dd><Time at=Some(finished_at) detail=Detail::Exact/></dd></div>
                <div><dt>"Removed"</dt><dd>{total}</dd></div>
                <div><dt>"Audit log, first hash"</dt><dd><code>{hash(first_audit_hash)}</code></dd></div>
                <div><dt>"Audit log, last hash"</dt><dd><code>{hash(last_audit_hash)}</code></dd></div>
            </dl>
            <h2>"By kind"</h2>
            <Tables tables/>
            <p class="cs-quiet">"Accounts of people stay: they are theirs. Copies in backups go with the backups."</p>
        </main>
    }
}

#[component]
fn Tables(tables: Vec<ErasedTable>) -> impl IntoView {
    let columns = vec![Column::new("Kind"), Column::end("Rows"), Column::end("Size")];
    let rows = tables
        .into_iter()
        .map(|table| {
            let (size, unit) = number::bytes(table.bytes);
            view! {
                <tr>
                    <th scope="row">{table.words()}</th>
                    <td data-label="Rows" data-align="end">{number::whole(table.rows)}</td>
                    <td data-label="Size" data-align="end">{format!("{size} {unit}")}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="What was removed, by kind" columns>{rows}</Table> }
}
