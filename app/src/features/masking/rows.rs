//! The policies, a line each, with who applies them and the way to remove one.

use clarity_domain::view::{Micros, masking::MaskRow};
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, model};
use crate::ui::{
    button::{Button, Kind},
    confirm::Confirm,
    pill::{Pill, Tone},
    table::{Column, Table},
    time::Ago,
};

#[component]
pub fn Rows(slug: String, policies: Vec<MaskRow>, base: Micros, forms: Forms) -> impl IntoView {
    let columns = ["Field", "Left of it", "Where", "Seen in the clear by", "Since", ""].map(Column::new).to_vec();
    let rows = policies.into_iter().map(|row| view! { <Row slug=slug.clone() row base forms/> }).collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Masked fields" columns>{rows}</Table></div> }
}

#[component]
fn Row(slug: String, row: MaskRow, base: Micros, forms: Forms) -> impl IntoView {
    let of = model::place_of(&row);
    let progress = model::progress(&row).map(|(all, text)| {
        let tone = if all { Tone::Ok } else { Tone::Warn };
        view! { <Pill tone text/> }
    });
    let seen_by = model::seen_by(&row);
    let (id, field) = (row.id.to_string(), row.field.clone());
    let remove = view! {
        <Confirm
            id=format!("unmask-{id}")
            act="Stop masking"
            label=format!("Stop masking {field} of {of}")
            question=format!("Stop masking {field}?")
            message="What comes from then on is in the clear. Values that were masked do not come back."
            kind=Kind::Quiet
        >
            <ActionForm action=forms.remove>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Stop masking"</Button>
            </ActionForm>
        </Confirm>
    };
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-masking__field">{row.field}<small>{of}</small></th>
            <td class="cs-table__wrap" data-label="Left of it">{row.rule.words()}</td>
            <td class="cs-table__wrap cs-masking__where" data-label="Where"><span>{model::place_name(row.place)}</span> {progress}</td>
            <td data-label="Seen in the clear by">{seen_by}</td>
            <td class="cs-table__wrap cs-masking__since" data-label="Since"><Ago at=Some(row.created_at) base/><small class="cs-under">"by " {row.created_by}</small></td>
            <td data-align="end" class="cs-table__acts"><div class="cs-row">{remove}</div></td>
        </tr>
    }
}
