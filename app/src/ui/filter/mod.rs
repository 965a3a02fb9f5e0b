//! Filters above a list: a form that asks for the page anew, so that what is chosen stands in the URL. Works without script.

use leptos::prelude::*;
use leptos_router::components::Form;

use super::button::Button;

#[component]
pub fn Filters(
    /// The page.
    action: String,
    /// What is filtered, for a screen reader.
    #[prop(into)]
    label: String,
    /// The page without any filter, when there is one.
    clear: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <Form method="get" action=action attr:class="cs-filters" attr:role="search" attr:aria-label=label>
            {children()}
            <span class="cs-filters__acts">
                <Button submit=true>"Filter"</Button>
                {clear.map(|href| view! { <a class="cs-button" data-kind="quiet" href=href>"Clear"</a> })}
            </span>
        </Form>
    }
}

/// A text, or a day with `kind="date"`.
#[component]
pub fn FilterInput(
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(default = "search")] kind: &'static str,
    #[prop(optional, into)] placeholder: String,
    /// What is asked for now.
    value: Option<String>,
) -> impl IntoView {
    let value = value.unwrap_or_default();
    let id = format!("filter-{name}");
    // The attribute is for what the server writes, the property for an input that a person has written into.
    view! {
        <span class="cs-filters__part" data-kind=kind>
            <label for=id.clone()>{label}</label>
            <input id=id name=name type=kind placeholder=placeholder maxlength="200" autocomplete="off" value=value.clone() prop:value=value/>
        </span>
    }
}

/// One of a few; the first, with an empty value, stands for all.
#[component]
pub fn FilterChoice(
    name: &'static str,
    #[prop(into)] label: String,
    /// Value and words.
    choices: Vec<(String, String)>,
    /// What is asked for now.
    value: Option<String>,
) -> impl IntoView {
    let value = value.unwrap_or_default();
    let id = format!("filter-{name}");
    let options = choices
        .into_iter()
        .map(|(key, words)| {
            let chosen = key == value;
            view! { <option value=key selected=chosen>{words}</option> }
        })
        .collect_view();
    view! {
        <span class="cs-filters__part" data-kind="choice">
            <label for=id.clone()>{label}</label>
            <select id=id name=name prop:value=value>{options}</select>
        </span>
    }
}
