//! `/confirm-it`: shows again that it is you; `?next=` is the page to come back to.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::{
        second_factor::{ConfirmItForm, api},
        session::{SignOutButton, api::ConfirmIt},
    },
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

const TITLE: &str = "Confirm that it is you";

#[component]
pub fn ConfirmItPage() -> impl IntoView {
    let query = use_query_map();
    let next = Memo::new(move |_| query.with(|query| query.get("next")).filter(|next| paths::local(next).is_some()));
    let confirm = ServerAction::<ConfirmIt>::new();
    let page = Resource::new(|| (), |()| api::read());
    let lead = move || {
        let href = next.get_untracked().unwrap_or_else(|| paths::HOME.into());
        view! { "What you are about to do needs it; it is good for 15 minutes, and for another e-mail address for 2. " <a class="cs-link" href=href>"Go back"</a> }.into_any()
    };
    view! {
        <Title text=TITLE/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            move |content| view! { <AuthLayout title=TITLE lead=lead()>{content}</AuthLayout> }.into_any(),
            move |page| {
                if let Some(slug) = page.by_sso {
                    // Whoever came by single sign-on shows it there.
                    let href = paths::sso_start(&slug, next.get_untracked().as_deref(), true);
                    return view! {
                        <AuthLayout title=TITLE lead=lead()>
                            <p class="cs-quiet">"You came by single sign-on. Sign in there once more, and you come back here."</p>
                            <a class="cs-button" data-kind="primary" data-size="large" rel="external" href=href>"Confirm by single sign-on"</a>
                            <SignOutButton words=true/>
                        </AuthLayout>
                    }
                        .into_any();
                }
                let (with_code, with_app, with_passkey) = (page.is_on(), page.has_app(), !page.passkeys.list.is_empty());
                view! {
                    <AuthLayout title=TITLE lead=lead()>
                        <ConfirmItForm with_code with_app with_passkey next=next.get_untracked() confirm/>
                        <SignOutButton words=true/>
                    </AuthLayout>
                }
                    .into_any()
            },
        )}
    }
}
