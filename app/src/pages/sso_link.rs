//! `/sso/link`: after single sign-on, for an address that has an account

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::sso::{LinkForm, api},
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

const TITLE: &str = "Is this account yours?";

#[component]
pub fn SsoLinkPage() -> impl IntoView {
    let link = ServerAction::<api::Link>::new();
    let page = Resource::new(|| (), |()| api::find_link());
    let lead = || view! { "Once only. " <a class="cs-link" href=paths::SSO>"Begin again"</a> }.into_any();
    view! {
        <Title text=TITLE/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=2/> }.into_any(),
            move |content| view! { <AuthLayout title=TITLE lead=lead()>{content}</AuthLayout> }.into_any(),
            move |page| view! { <AuthLayout title=TITLE lead=lead()><LinkForm page link/></AuthLayout> }.into_any(),
        )}
    }
}
