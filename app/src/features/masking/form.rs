//! The form that masks a field, with what its rule would leave of a value that somebody types. Without script the example stays
//! away, and the form works.

use clarity_domain::{masking::MaskPlace, role::Role, view::masking::MaskableStream};
use leptos::{form::ActionForm, prelude::*};

use super::{api::Add, model};
use crate::{
    error::PageError,
    layout::refused::Refused,
    ui::{
        button::{Button, Kind},
        choice::Choice,
        field::Field,
        listed::Listed,
    },
};

/// Fields that show their own error.
const FIELDS: [&str; 2] = ["field", "amount"];

#[component]
pub fn AddForm(slug: String, streams: Vec<MaskableStream>, add: ServerAction<Add>) -> impl IntoView {
    let (rule, amount) = (RwSignal::new("hash".to_owned()), RwSignal::new(model::USUAL_AMOUNT.to_owned()));
    let sample = RwSignal::new(String::new());
    let error = Signal::derive(move || add.value().get().and_then(Result::err));
    let beside = move || error.get().filter(|error: &PageError| error.beside_fields(&FIELDS).is_some());
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let known = model::fields(&streams);
    let example = move || model::example(&rule.get(), &amount.get(), &sample.get());
    view! {
        <ActionForm action=add>
            {move || beside().map(|error| view! { <Refused error/> })}
            <input type="hidden" name="slug" value=slug/>
            <div class="cs-masking__form">
                <Choice id="mask-of" name="of" label="Stream" choices=model::streams(&streams) value="*"/>
                <Listed name="field" label="Field" value="" choices=known required=true maxlength=200 help="A column, or a path inside a JSON column: detail.phone. In views also a tag: Speed." error=of("field")/>
                <Choice on:input=move |event| rule.set(event_target_value(&event)) id="mask-rule" name="rule" label="What is left" choices=model::rules() value="hash"/>
                <Field id="mask-amount" name="amount" label="How many, or how wide" autocomplete="off" maxlength=200 help="Characters that stay, or the width of a step." value=model::USUAL_AMOUNT optional=true error=of("amount") on:input=move |event| amount.set(event_target_value(&event))/>
                <Choice id="mask-place" name="place" label="Where" choices=model::places() value=MaskPlace::Agent.as_str()/>
                <Choice id="mask-role" name="least_role" label="In views, seen in the clear by" choices=model::seers() value=Role::Admin.as_str()/>
                // Without a name it is not sent.
                <Field id="mask-sample" name="" label="Try it on a value" autocomplete="off" maxlength=200 help="Stays in your browser." optional=true on:input=move |event| sample.set(event_target_value(&event))/>
                <p class="cs-masking__example" role="status">{example}</p>
            </div>
            <p class="cs-quiet">"At the agent a value never leaves the plant, and nobody sees it again. In views it is kept, and shown by role. By tag only in views: where rows name what they measure, the agent masks whole columns."</p>
            <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || add.pending().get())>
                {move || if add.pending().get() { "Masking" } else { "Mask it" }}
            </Button>
        </ActionForm>
    }
}
