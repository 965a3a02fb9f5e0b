//! `/reset/:token`: where the letter about a new password leads

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::session::{ResetForm, api},
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn ResetPage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let email = Resource::new(move || token.get(), api::find_reset);
    let again = || view! { "No valid link? " <a class="cs-link" href=paths::RESET>"Ask for a new one"</a> }.into_any();
    view! {
        <Title text="Choose a new password"/>
        {load(
            email,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            move |content| view! { <AuthLayout title="Choose a new password" lead=again()>{content}</AuthLayout> }.into_any(),
            move |email| {
                let lead = view! { "For " <b>{email.clone()}</b> ". You will be signed out everywhere." }.into_any();
                view! { <AuthLayout title="Choose a new password" lead><ResetForm token=token.get_untracked() email/></AuthLayout> }.into_any()
            },
        )}
    }
}
