//! `/w/:slug/sites`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::sites::{Forms, SitesContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SitesPage() -> impl IntoView {
    let slug = use_slug();
    let forms = Forms::unsent();
    let sent = forms.sent();
    let page = Resource::new(move || (slug.get(), sent.get()), |(slug, _)| api::read(slug));
    view! {
        <Title text="Sites"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Sites")]>{content}</Page> }.into_any(),
            move |page| view! { <SitesContent slug=slug.get_untracked() page forms/> }.into_any(),
        )}
    }
}
