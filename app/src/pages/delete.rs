//! `/w/:slug/delete`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::deletion::{DeletionContent, Forms, api},
    layout::{
        frame::{follow, use_slug},
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn DeletePage() -> impl IntoView {
    let slug = use_slug();
    let forms = Forms::unsent();
    let sent = forms.sent();
    follow(sent);
    let page = Resource::new(move || (slug.get(), sent.get()), |(slug, _)| api::read(slug));
    view! {
        <Title text="Delete workspace"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=9/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Delete workspace")]>{content}</Page> }.into_any(),
            move |page| view! { <DeletionContent slug=slug.get_untracked() page forms/> }.into_any(),
        )}
    }
}
