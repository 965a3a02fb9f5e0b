//! Where one is in a wizard.

use leptos::prelude::*;

use super::icon::{Icon, Symbol};

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: &'static str,
    pub remark: String,
}

/// A step that can be gone to.
#[derive(Clone, Debug, PartialEq)]
pub struct StepLink {
    pub name: &'static str,
    pub remark: &'static str,
    pub href: String,
    pub done: bool,
    /// The one that is open.
    pub now: bool,
}

/// Steps that may be taken in any order.
#[component]
pub fn StepLinks(#[prop(into)] label: String, steps: Vec<StepLink>) -> impl IntoView {
    let draw = |(number, step): (usize, StepLink)| {
        let state = match (step.now, step.done) {
            (true, _) => "now",
            (false, true) => "done",
            (false, false) => "later",
        };
        view! {
            <li class="cs-steps__step" data-at=state aria-current=step.now.then_some("step")>
                <i class="cs-steps__mark">
                    {if state == "done" { view! { <Icon symbol=Symbol::Check/> }.into_any() } else { (number + 1).to_string().into_any() }}
                </i>
                <b><a class="cs-link" href=step.href>{step.name}</a></b>
                <span>{step.remark}</span>
            </li>
        }
    };
    view! { <ol class="cs-steps" role="list" aria-label=label>{steps.into_iter().enumerate().map(draw).collect_view()}</ol> }
}

/// `at` is the step one is at, from 0; all before are done.
#[component]
pub fn Steps(#[prop(into)] label: String, steps: Vec<Step>, at: usize) -> impl IntoView {
    let draw = |(number, step): (usize, Step)| {
        let state = match number.cmp(&at) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "later",
        };
        view! {
            <li class="cs-steps__step" data-at=state aria-current=(state == "now").then_some("step")>
                <i class="cs-steps__mark">
                    {if state == "done" { view! { <Icon symbol=Symbol::Check/> }.into_any() } else { (number + 1).to_string().into_any() }}
                </i>
                <b>{step.name}{(state == "done").then(|| view! { <span class="cs-visually-hidden">", done"</span> })}</b>
                <span>{step.remark}</span>
            </li>
        }
    };
    view! { <ol class="cs-steps" role="list" aria-label=label>{steps.into_iter().enumerate().map(draw).collect_view()}</ol> }
}
