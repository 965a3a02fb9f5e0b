//! `/email/:token`: where the letter to a new address leads. Whoever is signed out signs in first, and comes back.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::email_change::{ConfirmEmailForm, api},
    layout::auth::AuthLayout,
    load::load,
    ui::skeleton::PageSkeleton,
};

const TITLE: &str = "Use this e-mail";

#[component]
pub fn EmailPage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let link = Resource::new(move || token.get(), api::find);
    view! {
        <Title text=TITLE/>
        {load(
            link,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            |content| view! { <AuthLayout title=TITLE lead=().into_any()>{content}</AuthLayout> }.into_any(),
            move |link| {
                let lead = view! { "For the account that is " <b class="cs-email">{link.from.clone()}</b> " so far." }.into_any();
                view! { <AuthLayout title=TITLE lead><ConfirmEmailForm token=token.get_untracked() link/></AuthLayout> }.into_any()
            },
        )}
    }
}
