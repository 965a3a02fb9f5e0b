//! `/w/:slug/tokens`, and `?new=…` once a token is made.

use clarity_domain::ids::ApiTokenId;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::tokens::{Forms, TokensContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn TokensPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let new = Memo::new(move |_| {
        params.with(|params| params.get_str("new").and_then(|text| text.parse::<ApiTokenId>().ok()))
    });
    let forms = Forms::unsent();
    let sent = forms.sent();
    let access = Resource::new(move || (slug.get(), new.get(), sent.get()), |(slug, new, _)| api::read(slug, new));
    view! {
        <Title text="API tokens"/>
        {load(
            access,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("API tokens")]>{content}</Page> }.into_any(),
            move |access| view! { <TokensContent slug=slug.get_untracked() access forms/> }.into_any(),
        )}
    }
}
