//! `/email/stop/:token`: where the letter to the old address leads

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::email_change::{StopEmailForm, api},
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

const TITLE: &str = "Stop the change of your e-mail";

#[component]
pub fn EmailStopPage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let link = Resource::new(move || token.get(), api::find_stop);
    let anyway = || view! { "Too late? " <a class="cs-link" href=paths::RESET>"Choose a new password"</a> }.into_any();
    view! {
        <Title text=TITLE/>
        {load(
            link,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            move |content| view! { <AuthLayout title=TITLE lead=anyway()>{content}</AuthLayout> }.into_any(),
            move |link| {
                let lead = view! { "For the account of " <b class="cs-email">{link.from.clone()}</b> }.into_any();
                view! { <AuthLayout title=TITLE lead><StopEmailForm token=token.get_untracked() link/></AuthLayout> }.into_any()
            },
        )}
    }
}
