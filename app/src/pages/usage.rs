//! `/w/:slug/usage`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::usage::{UsageContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn UsagePage() -> impl IntoView {
    let slug = use_slug();
    let page = Resource::new(move || slug.get(), api::read);
    view! {
        <Title text="Plan and usage"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Plan and usage")]>{content}</Page> }.into_any(),
            |page| view! { <UsageContent page/> }.into_any(),
        )}
    }
}
