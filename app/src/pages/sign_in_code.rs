//! `/sign-in/code`: after the password, for those who have a second factor; `?recovery=1` when their app is lost

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{features::session::CodeForm, layout::auth::AuthLayout, paths};

#[component]
pub fn SignInCodePage() -> impl IntoView {
    let lead =
        view! { "Your password was right. " <a class="cs-link" href=paths::SIGN_IN>"Begin again"</a> }.into_any();
    view! {
        <Title text="Enter your code"/>
        <AuthLayout title="Enter your code" lead><CodeForm/></AuthLayout>
    }
}
