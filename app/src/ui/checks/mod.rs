//! A choice of some of a few, in a form: a group of boxes to tick. Its error is announced and named by the group. The group
//! alone is for choices that are more than boxes.

use leptos::prelude::*;

use super::icon::{Icon, Symbol};

/// One box.
#[derive(Clone, Debug)]
pub struct Check {
    /// What the form sends.
    pub value: String,
    pub words: String,
}

#[component]
pub fn Checks(
    /// Of the group: another one for each on a page.
    #[prop(into)]
    id: String,
    /// In the form; ends in `[]`, since it may be there several times.
    name: &'static str,
    #[prop(into)] legend: String,
    checks: Vec<Check>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let boxes = checks
        .into_iter()
        .map(|check| {
            view! {
                <label class="cs-checks__one">
                    <input type="checkbox" name=name value=check.value.clone()/>
                    <span>{check.words}</span>
                    <code>{check.value}</code>
                </label>
            }
        })
        .collect_view();
    view! { <CheckGroup id legend error>{boxes}</CheckGroup> }
}

/// The group: what is in it is a `label.cs-checks__one` each.
#[component]
pub fn CheckGroup(
    /// Another one for each on a page.
    #[prop(into)]
    id: String,
    #[prop(into)] legend: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    let error_id = format!("{id}-error");
    let described = {
        let error_id = error_id.clone();
        move || error.with(Option::is_some).then(|| error_id.clone())
    };
    view! {
        <fieldset class="cs-checks" id=id aria-describedby=described>
            <legend>{legend}</legend>
            {children()}
            <div role="alert" id=error_id>
                {move || error.get().map(|text| view! { <p class="cs-field__error"><Icon symbol=Symbol::Warning/>{text}</p> })}
            </div>
        </fieldset>
    }
}
