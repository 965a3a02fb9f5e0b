//! `/reset`, and `?sent=1` once a letter is on its way; `?stopped=1` after a change of address was stopped

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::session::AskResetForm,
    layout::auth::{AuthLayout, Sent},
    paths,
    ui::{note::Banner, pill::Tone},
};

#[component]
pub fn AskResetPage() -> impl IntoView {
    let query = use_query_map();
    move || {
        let lead = view! { "Know it after all? " <a class="cs-link" href=paths::SIGN_IN>"Sign in"</a> }.into_any();
        if query.with(|query| query.get_str("sent").is_some()) {
            view! {
                <Title text="Look into your mail"/>
                <AuthLayout title="Look into your mail" lead>
                    <Sent again=paths::RESET>"If the address has an account, open the link in it within half an hour to choose a new password."</Sent>
                </AuthLayout>
            }
            .into_any()
        } else {
            let stopped = query.with(|query| query.get_str("stopped").is_some());
            let title = if stopped { "Choose a new password" } else { "Forgot your password?" };
            view! {
                <Title text=title/>
                <AuthLayout title lead>
                    {stopped.then(|| view! { <Banner tone=Tone::Ok>"The change is stopped, and every session has ended. Whoever asked for it may know your password: choose a new one."</Banner> })}
                    <AskResetForm/>
                </AuthLayout>
            }
            .into_any()
        }
    }
}
