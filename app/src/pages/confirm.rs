//! `/confirm/:token`: where the letter of a sign-up leads

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::session::{ConfirmForm, api},
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let email = Resource::new(move || token.get(), api::find_sign_up);
    let again =
        || view! { "No valid link? " <a class="cs-link" href=paths::SIGN_UP>"Ask for a new one"</a> }.into_any();
    view! {
        <Title text="Create your workspace"/>
        {load(
            email,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            move |content| view! { <AuthLayout title="Create your workspace" lead=again()>{content}</AuthLayout> }.into_any(),
            move |email| {
                let lead = view! { "For " <b>{email.clone()}</b> }.into_any();
                view! { <AuthLayout title="Create your workspace" lead><ConfirmForm token=token.get_untracked() email/></AuthLayout> }.into_any()
            },
        )}
    }
}
