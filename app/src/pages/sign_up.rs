//! `/sign-up`, and `?sent=1` once a letter is on its way

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::session::SignUpForm,
    layout::auth::{AuthLayout, Sent},
    paths,
};

#[component]
pub fn SignUpPage() -> impl IntoView {
    let query = use_query_map();
    move || {
        let lead = view! { "Have an account? " <a class="cs-link" href=paths::SIGN_IN>"Sign in"</a> }.into_any();
        if query.with(|query| query.get_str("sent").is_some()) {
            view! {
                <Title text="Look into your mail"/>
                <AuthLayout title="Look into your mail" lead>
                    <Sent again=paths::SIGN_UP>"Open the link in it within a day to create your workspace."</Sent>
                </AuthLayout>
            }
            .into_any()
        } else {
            view! {
                <Title text="Create a workspace"/>
                <AuthLayout title="Create a workspace" lead><SignUpForm/></AuthLayout>
            }
            .into_any()
        }
    }
}
