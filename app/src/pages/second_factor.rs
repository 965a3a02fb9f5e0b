//! `/second-factor`: a person's own, in no workspace; `?next=` is where they came from.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::{
        second_factor::{Forms, SecondFactorContent, api},
        session::SignOutButton,
    },
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let query = use_query_map();
    let next = Memo::new(move |_| query.with(|query| query.get("next")).filter(|next| paths::local(next).is_some()));
    let forms = Forms::unsent();
    let sent = forms.sent();
    let page = Resource::new(move || sent.get(), |_| api::read());
    let lead = move || {
        let href = next.get_untracked().unwrap_or_else(|| paths::HOME.into());
        view! { "A code beside your password. " <a class="cs-link" href=href>"Go back"</a> }.into_any()
    };
    view! {
        <Title text="Second factor"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            move |content| view! { <AuthLayout title="Second factor" lead=lead()>{content}</AuthLayout> }.into_any(),
            move |page| {
                view! {
                    <AuthLayout title="Second factor" lead=lead()>
                        <SecondFactorContent page next=next.get_untracked() forms/>
                        <SignOutButton words=true/>
                    </AuthLayout>
                }
                    .into_any()
            },
        )}
    }
}
