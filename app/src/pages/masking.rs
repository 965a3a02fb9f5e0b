//! `/w/:slug/masking`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::masking::{Forms, MaskingContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn MaskingPage() -> impl IntoView {
    let slug = use_slug();
    let forms = Forms::unsent();
    let sent = forms.sent();
    let page = Resource::new(move || (slug.get(), sent.get()), |(slug, _)| api::read(slug));
    view! {
        <Title text="Masking"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=4/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Masking")]>{content}</Page> }.into_any(),
            move |page| view! { <MaskingContent slug=slug.get_untracked() page forms/> }.into_any(),
        )}
    }
}
