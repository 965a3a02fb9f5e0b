//! `/w/:slug/retention`

use clarity_domain::view::retention::RetentionQuery;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::retention::{Forms, RetentionContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn RetentionPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let query = Memo::new(move |_| {
        params.with(|params| RetentionQuery { class: params.get("class"), days: params.get("days") })
    });
    let forms = Forms::unsent();
    let sent = forms.sent();
    let page = Resource::new(
        move || (slug.get(), query.get(), sent.get()),
        |(slug, query, _)| api::read(slug, query.class, query.days),
    );
    view! {
        <Title text="Retention"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=9/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Retention")]>{content}</Page> }.into_any(),
            move |page| view! { <RetentionContent slug=slug.get_untracked() page forms/> }.into_any(),
        )}
    }
}
