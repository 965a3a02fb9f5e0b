//! `/w/:slug/sources`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::sources::{Forms, SourcesContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SourcesPage() -> impl IntoView {
    let slug = use_slug();
    let forms = Forms::unsent();
    let sent = forms.sent();
    let sources = Resource::new(move || (slug.get(), sent.get()), |(slug, _)| api::list(slug));
    view! {
        <Title text="Sources"/>
        {load(
            sources,
            || view! { <PageSkeleton figures=4 rows=5/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Sources")]>{content}</Page> }.into_any(),
            move |sources| view! { <SourcesContent slug=slug.get_untracked() sources forms/> }.into_any(),
        )}
    }
}
