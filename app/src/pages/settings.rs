//! `/w/:slug/settings`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::workspace_settings::{Forms, SettingsContent, api},
    layout::{
        frame::{follow, use_slug},
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SettingsPage() -> impl IntoView {
    let slug = use_slug();
    let forms = Forms::unsent();
    let sent = forms.sent();
    // The name and the sites stand in it.
    follow(sent);
    let page = Resource::new(move || (slug.get(), sent.get()), |(slug, _)| api::read(slug));
    view! {
        <Title text="Workspace settings"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Settings")]>{content}</Page> }.into_any(),
            move |page| view! { <SettingsContent slug=slug.get_untracked() page forms/> }.into_any(),
        )}
    }
}
