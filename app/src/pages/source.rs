//! `/w/:slug/sources/:id`

use clarity_domain::{error::AppError, ids::SourceId};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    error::PageError,
    features::sources::{SourceContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SourcePage() -> impl IntoView {
    let slug = use_slug();
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get_str("id").and_then(|text| text.parse::<SourceId>().ok())));
    let detail = Resource::new(
        move || (slug.get(), id.get()),
        |(slug, id)| async move {
            match id {
                Some(id) => api::get(slug, id).await,
                None => Err(PageError(AppError::not_found("source"))),
            }
        },
    );
    let crumbs = move || vec![Crumb::to("Sources", paths::sources(&slug.get_untracked())), Crumb::here("Source")];
    view! {
        <Title text="Source"/>
        {load(
            detail,
            || view! { <PageSkeleton figures=0 rows=8/> }.into_any(),
            move |content| view! { <Page crumbs=crumbs()>{content}</Page> }.into_any(),
            move |detail| {
                let title = detail.source.name.clone();
                view! { <Title text=title/><SourceContent slug=slug.get_untracked() detail/> }.into_any()
            },
        )}
    }
}
