//! `/w/:slug/support`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::support::{Forms, SupportContent, api},
    layout::{
        frame::{follow, use_slug},
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SupportPage() -> impl IntoView {
    let slug = use_slug();
    let forms = Forms::unsent();
    let sent = forms.sent();
    // Its banner stands over every page.
    follow(sent);
    let page = Resource::new(move || (slug.get(), sent.get()), |(slug, _)| api::read(slug));
    view! {
        <Title text="Support access"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=5/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Support access")]>{content}</Page> }.into_any(),
            move |page| view! { <SupportContent slug=slug.get_untracked() page forms/> }.into_any(),
        )}
    }
}
