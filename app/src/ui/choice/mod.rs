//! A labelled choice of one of a few, in a form.

use leptos::prelude::*;

#[component]
pub fn Choice(
    /// Of the select: another one for each on a page.
    #[prop(into)]
    id: String,
    name: &'static str,
    #[prop(into)] label: String,
    /// Value and words.
    choices: Vec<(String, String)>,
    /// What is chosen at first.
    #[prop(into)]
    value: String,
    /// For a row: low, with a label that only a screen reader says.
    #[prop(optional)]
    low: bool,
) -> impl IntoView {
    let options = choices
        .into_iter()
        .map(|(key, words)| {
            let chosen = key == value;
            view! { <option value=key selected=chosen>{words}</option> }
        })
        .collect_view();
    view! {
        <div class="cs-field" data-low=low.then_some("true")>
            <label class=if low { "cs-visually-hidden" } else { "cs-field__label" } for=id.clone()>{label}</label>
            <select class="cs-field__input" id=id name=name prop:value=value>{options}</select>
        </div>
    }
}
