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
        icon::{Icon, Symbol},
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
    let known = model::fields(&streams).into_iter().map(|field| view! { <option value=field></option> }).collect_view();
    let example = move || model::example(&rule.get(), &amount.get(), &sample.get());
    view! {
        <ActionForm action=add>
            {move || beside().map(|error| view! { <Refused error/> })}
            <input type="hidden" name="slug" value=slug/>
            <div class="cs-masking__form">
                <Choice id="mask-of" name="of" label="Stream" choices=model::streams(&streams) value="*"/>
                <Typed id="mask-field" name="field" label="Field" help="A column, or a path inside a JSON column: detail.phone. In views also a tag: Speed." needed=true list="mask-fields" error/>
                <datalist id="mask-fields">{known}</datalist>
                <Choice on:input=move |event| rule.set(event_target_value(&event)) id="mask-rule" name="rule" label="What is left" choices=model::rules() value="hash"/>
                <Typed id="mask-amount" name="amount" label="How many, or how wide" help="Characters that stay, or the width of a step." value=model::USUAL_AMOUNT on:input=move |event| amount.set(event_target_value(&event)) error/>
                <Choice id="mask-place" name="place" label="Where" choices=model::places() value=MaskPlace::Agent.as_str()/>
                <Choice id="mask-role" name="least_role" label="In views, seen in the clear by" choices=model::seers() value=Role::Admin.as_str()/>
                <Typed id="mask-sample" name="" label="Try it on a value" help="Stays in your browser." on:input=move |event| sample.set(event_target_value(&event)) error/>
                <p class="cs-masking__example" role="status">{example}</p>
            </div>
            <p class="cs-quiet">"At the agent a value never leaves the plant, and nobody sees it again. In views it is kept, and shown by role. By tag only in views: where rows name what they measure, the agent masks whole columns."</p>
            <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || add.pending().get())>
                {move || if add.pending().get() { "Masking" } else { "Mask it" }}
            </Button>
        </ActionForm>
    }
}

/// A line to type that may stay empty and may have suggestions: the kit's own is always needed.
#[component]
fn Typed(
    id: &'static str,
    /// Empty: it is not sent.
    name: &'static str,
    label: &'static str,
    help: &'static str,
    #[prop(optional)] value: &'static str,
    #[prop(optional)] needed: bool,
    #[prop(optional)] list: Option<&'static str>,
    error: Signal<Option<PageError>>,
) -> impl IntoView {
    let text = Signal::derive(move || error.get().and_then(|error| error.of_field(name)));
    let (help_id, error_id) = (format!("{id}-help"), format!("{id}-error"));
    let described = {
        let (help_id, error_id) = (help_id.clone(), error_id.clone());
        move || if text.with(Option::is_some) { error_id.clone() } else { help_id.clone() }
    };
    view! {
        <div class="cs-field">
            <label class="cs-field__label" for=id>{label}</label>
            <input
                class="cs-field__input"
                id=id
                name=(!name.is_empty()).then_some(name)
                type="text"
                value=value
                required=needed
                list=list
                autocomplete="off"
                maxlength="200"
                aria-invalid=move || text.with(Option::is_some).then_some("true")
                aria-describedby=described
            />
            <p class="cs-field__help" id=help_id>{help}</p>
            <div role="alert" id=error_id>
                {move || text.get().map(|text| view! { <p class="cs-field__error"><Icon symbol=Symbol::Warning/>{text}</p> })}
            </div>
        </div>
    }
}
