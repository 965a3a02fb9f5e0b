//! A labelled input with its help and its error; the error is announced and named by the input.

use leptos::prelude::*;

use super::icon::{Icon, Symbol};

#[component]
pub fn Field(
    /// Name in the form, and the id of the input where none is given.
    name: &'static str,
    /// Where a page has the form more than once.
    #[prop(optional, into)]
    id: Option<String>,
    #[prop(into)] label: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] autocomplete: Option<&'static str>,
    /// The keyboard of a phone: "numeric".
    #[prop(optional)]
    inputmode: Option<&'static str>,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional)] minlength: Option<u32>,
    #[prop(default = 256)] maxlength: u32,
    #[prop(optional)] autofocus: bool,
    /// What stands in it at first.
    #[prop(optional, into)]
    value: Option<String>,
    /// It may stay empty.
    #[prop(optional)]
    optional: bool,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.to_owned());
    let required = !optional;
    let help_id = format!("{id}-help");
    let error_id = format!("{id}-error");
    let described = {
        let (help_id, error_id, has_help) = (help_id.clone(), error_id.clone(), help.is_some());
        move || match (error.with(Option::is_some), has_help) {
            (true, _) => Some(error_id.clone()),
            (false, true) => Some(help_id.clone()),
            (false, false) => None,
        }
    };
    view! {
        <div class="cs-field">
            <label class="cs-field__label" for=id.clone()>{label}</label>
            <input
                class="cs-field__input"
                id=id
                name=name
                type=kind
                value=value
                required=required
                autocomplete=autocomplete
                inputmode=inputmode
                minlength=minlength.map(|n| n.to_string())
                maxlength=maxlength.to_string()
                autofocus=autofocus
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
            />
            {help.map(|text| view! { <p class="cs-field__help" id=help_id>{text}</p> })}
            <div role="alert" id=error_id>
                {move || error.get().map(|text| view! { <p class="cs-field__error"><Icon symbol=Symbol::Warning/>{text}</p> })}
            </div>
        </div>
    }
}
