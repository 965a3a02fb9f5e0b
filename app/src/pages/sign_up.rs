//! `/sign-up`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{features::session::SignUpForm, layout::auth::AuthLayout, paths};

#[component]
pub fn SignUpPage() -> impl IntoView {
    let lead = view! { "Have an account? " <a class="cs-link" href=paths::SIGN_IN>"Sign in"</a> }.into_any();
    view! {
        <Title text="Create a workspace"/>
        <AuthLayout title="Create a workspace" lead><SignUpForm/></AuthLayout>
    }
}
