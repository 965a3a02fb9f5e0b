//! The classes of data, a line each: how long they are kept, what there is, and what the last run did.

use clarity_domain::{
    retention::keep_key,
    view::{Micros, retention::RetentionRow},
};
use leptos::prelude::*;
use leptos_router::components::Form;

use super::model;
use crate::{
    paths,
    ui::{
        button::Button,
        choice::Choice,
        table::{Column, Table},
        time::{Ago, Detail, Time},
    },
};

#[component]
pub fn Rows(slug: String, rows: Vec<RetentionRow>, base: Micros) -> impl IntoView {
    let columns = ["Data", "Kept for", "Oldest kept", "Size", "Last run"].map(Column::new).to_vec();
    let rows = rows.into_iter().map(|row| view! { <Row slug=slug.clone() row base/> }).collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Retention by class of data" columns>{rows}</Table></div> }
}

#[component]
fn Row(slug: String, row: RetentionRow, base: Micros) -> impl IntoView {
    let RetentionRow { class, keep, is_default, oldest_at, rows, bytes, last_run } = row;
    let size = rows.zip(bytes).map_or_else(|| "–".to_owned(), |(rows, bytes)| model::amount(rows, bytes));
    let (id, label) = (format!("keep-{}", class.as_str()), format!("Keep {} for", class.name()));
    let button = format!("Change how long {} is kept", class.name());
    let run = match last_run {
        None => view! { <span class="cs-quiet">"not yet"</span> }.into_any(),
        Some(run) => {
            view! { <Ago at=Some(run.at) base/><small class="cs-under">{model::run_words(run)}</small> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-retention__class">{class.name()}<small>{class.words()}</small></th>
            <td data-label="Kept for">
                // Asks for the page with the preview, so that it is there without script as well.
                <Form method="get" action=paths::retention(&slug)>
                    <input type="hidden" name="class" value=class.as_str()/>
                    <div class="cs-retention__keep">
                        <Choice id name="days" label choices=model::choices(class, keep) value=keep_key(keep) low=true/>
                        <Button submit=true attr:aria-label=button>"Change"</Button>
                    </div>
                </Form>
                {is_default.then(|| view! { <small class="cs-quiet">"default"</small> })}
            </td>
            <td data-label="Oldest kept"><Time at=oldest_at detail=Detail::Exact/></td>
            <td data-label="Size">{size}</td>
            <td class="cs-table__wrap" data-label="Last run">{run}</td>
        </tr>
    }
}
