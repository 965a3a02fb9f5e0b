//! `/w/:slug/sso`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    error::PageError,
    features::{
        domains::{self, DomainsCard},
        sso::{Forms, SsoContent, api},
    },
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
    wire::Wire,
};

#[component]
pub fn SsoPage() -> impl IntoView {
    let slug = use_slug();
    let (forms, of_domains) = (Forms::unsent(), domains::Forms::unsent());
    let (sent, domains_sent) = (forms.sent(), of_domains.sent());
    let page = Resource::new(
        move || (slug.get(), sent.get(), domains_sent.get()),
        |(slug, _, _)| async move {
            let Wire(page) = api::read(slug.clone()).await?;
            let Wire(domains) = domains::api::read(slug).await?;
            Ok::<_, PageError>(Wire((page, domains)))
        },
    );
    view! {
        <Title text="Single sign-on"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Single sign-on")]>{content}</Page> }.into_any(),
            move |(page, domains)| {
                let slug = slug.get_untracked();
                let domains = view! { <DomainsCard slug=slug.clone() domains forms=of_domains/> }.into_any();
                view! { <SsoContent slug page domains forms/> }.into_any()
            },
        )}
    }
}
