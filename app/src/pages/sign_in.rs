//! `/sign-in`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{features::session::SignInForm, layout::auth::AuthLayout, paths};

#[component]
pub fn SignInPage() -> impl IntoView {
    let lead = view! { "New here? " <a class="cs-link" href=paths::SIGN_UP>"Create a workspace"</a> }.into_any();
    view! {
        <Title text="Sign in"/>
        <AuthLayout title="Sign in" lead><SignInForm/></AuthLayout>
    }
}
