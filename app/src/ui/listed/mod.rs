//! A labelled input that begins with a value, and may have a list to choose from while one types.

use leptos::{html, prelude::*};

use super::icon::{Icon, Symbol};

#[component]
pub fn Listed(
    /// Name in the form, and the id of the input.
    name: &'static str,
    #[prop(into)] label: String,
    /// What stands in it at first.
    #[prop(into)]
    value: String,
    #[prop(optional)] choices: Vec<String>,
    /// What the browser knows better than `value`; asked once, and written only where nobody has typed.
    #[prop(optional)]
    guess: Option<fn() -> Option<String>>,
    #[prop(optional)] required: bool,
    /// It is shown and sent, and cannot be changed.
    #[prop(optional)]
    locked: bool,
    #[prop(default = 120)] maxlength: u32,
    #[prop(into)] help: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    better(node, value.clone(), guess);
    let (help_id, error_id, list_id) = (format!("{name}-help"), format!("{name}-error"), format!("{name}-list"));
    let described = {
        let (help_id, error_id) = (help_id.clone(), error_id.clone());
        move || if error.with(Option::is_some) { error_id.clone() } else { help_id.clone() }
    };
    let listed = (!choices.is_empty()).then(|| list_id.clone());
    let options = choices.into_iter().map(|choice| view! { <option value=choice></option> }).collect_view();
    let list = listed.is_some().then(|| view! { <datalist id=list_id>{options}</datalist> });
    view! {
        <div class="cs-field">
            <label class="cs-field__label" for=name>{label}</label>
            <input
                class="cs-field__input"
                id=name
                name=name
                node_ref=node
                type="text"
                value=value
                list=listed
                required=required
                readonly=locked
                autocomplete="off"
                maxlength=maxlength.to_string()
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
            />
            {list}
            <p class="cs-field__help" id=help_id>{help}</p>
            <div role="alert" id=error_id>
                {move || error.get().map(|text| view! { <p class="cs-field__error"><Icon symbol=Symbol::Warning/>{text}</p> })}
            </div>
        </div>
    }
}

/// After hydration: the page must not change while it is being hydrated.
#[cfg(feature = "hydrate")]
fn better(node: NodeRef<html::Input>, begins: String, guess: Option<fn() -> Option<String>>) {
    let Some(guess) = guess else { return };
    let write = move || {
        let better = guess();
        if let (Some(input), Some(better)) = (node.get_untracked(), better)
            && input.value() == begins
        {
            input.set_value(&better);
        }
    };
    if let Ok(handle) = set_timeout_with_handle(write, std::time::Duration::ZERO) {
        on_cleanup(move || handle.clear());
    }
}

#[cfg(not(feature = "hydrate"))]
fn better(_: NodeRef<html::Input>, _: String, _: Option<fn() -> Option<String>>) {}
