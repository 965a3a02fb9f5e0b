//! Legal holds: open ones, and for owners the form that places one and the buttons that lift.

use clarity_domain::view::{Micros, retention::LegalHold};
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::{
    layout::refused::Refused,
    ui::{
        button::{Button, Kind},
        card::Card,
        confirm::Confirm,
        field::Field,
        time::Ago,
    },
};

#[component]
pub fn Holds(slug: String, holds: Vec<LegalHold>, may_hold: bool, base: Micros, forms: Forms) -> impl IntoView {
    let open = !holds.is_empty();
    let of_reason = Signal::derive(move || {
        forms.hold.value().get().and_then(Result::err).and_then(|error| error.of_field("reason"))
    });
    let beside = move || {
        let errors = [forms.hold.value().get().and_then(Result::err), forms.lift.value().get().and_then(Result::err)];
        errors.into_iter().flatten().find(|error| error.of_field("reason").is_none())
    };
    let rows = holds
        .into_iter()
        .map(|hold| {
            let lift = may_hold.then(|| view! { <LiftButton slug=slug.clone() hold=hold.clone() forms/> });
            view! {
                <li class="cs-retention__hold">
                    <p>{hold.reason}<small>"placed " <Ago at=Some(hold.placed_at) base/></small></p>
                    {lift}
                </li>
            }
        })
        .collect_view();
    let form = may_hold.then(|| {
        view! {
            <ActionForm action=forms.hold>
                <input type="hidden" name="slug" value=slug/>
                <div class="cs-retention__place">
                    <Field name="reason" label="Reason" maxlength=300 autocomplete="off" help="A case number, for instance. It is written into the audit log." error=of_reason/>
                    <Button submit=true disabled=Signal::derive(move || forms.hold.pending().get())>"Place legal hold"</Button>
                </div>
            </ActionForm>
        }
    });
    view! {
        <Card title="Legal hold" remark="while one is open, nothing is removed">
            <div class="cs-stack">
                {move || beside().map(|error| view! { <Refused error/> })}
                {if open {
                    view! { <ul class="cs-retention__holds">{rows}</ul> }.into_any()
                } else {
                    view! { <p class="cs-quiet">"No hold is open."</p> }.into_any()
                }}
                {form}
                {(!may_hold).then(|| view! { <p class="cs-quiet">"Owners place and lift holds."</p> })}
            </div>
        </Card>
    }
}

#[component]
fn LiftButton(slug: String, hold: LegalHold, forms: Forms) -> impl IntoView {
    let id = hold.id.to_string();
    view! {
        <Confirm
            id=format!("lift-{id}")
            act="Lift"
            label=format!("Lift the hold: {}", hold.reason)
            question="Lift this hold?"
            message="When no other hold is open, what is older than it is kept goes within the hour."
        >
            <ActionForm action=forms.lift>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.lift.pending().get())>"Lift hold"</Button>
            </ActionForm>
        </Confirm>
    }
}
