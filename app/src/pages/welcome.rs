//! `/w/:slug/welcome`, and `?step=…` for one of its steps.

use clarity_domain::view::set_up::SetUpStep;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::set_up::{Forms, SetUpContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn WelcomePage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let step = Memo::new(move |_| params.with(|params| params.get_str("step").and_then(SetUpStep::read)));
    let forms = Forms::unsent();
    let sent = forms.sent();
    // The step is of the page alone; it is read again with it, so that a form that leads on shows what it did.
    let page = Resource::new(move || (slug.get(), step.get(), sent.get()), |(slug, ..)| api::read(slug));
    view! {
        <Title text="Set up your workspace"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Set-up")]>{content}</Page> }.into_any(),
            move |page| view! { <SetUpContent slug=slug.get_untracked() step=step.get_untracked() page forms/> }.into_any(),
        )}
    }
}
