//! `/new-workspace`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::session::{NewWorkspaceForm, SignOutButton},
    layout::auth::AuthLayout,
    paths,
};

#[component]
pub fn NewWorkspacePage() -> impl IntoView {
    let lead = view! { "You will own it. " <a class="cs-link" href=paths::HOME>"Go back"</a> }.into_any();
    view! {
        <Title text="New workspace"/>
        <AuthLayout title="New workspace" lead>
            <NewWorkspaceForm/>
            <SignOutButton words=true/>
        </AuthLayout>
    }
}
