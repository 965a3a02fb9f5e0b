//! `/sign-in`, and `?changed=1` after a new password was chosen

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::{
        passkeys::{Purpose, ShowPasskey},
        session::SignInForm,
    },
    layout::auth::AuthLayout,
    paths,
    ui::{note::Banner, pill::Tone},
};

#[component]
pub fn SignInPage() -> impl IntoView {
    let changed = use_query_map().with_untracked(|query| query.get_str("changed").is_some());
    let next = use_query_map().with_untracked(|query| query.get("next"));
    // Whoever opened a page that needs a session; or whose session ended while they looked at one.
    let sent_here = next.as_deref().is_some_and(|next| paths::local(next).is_some());
    let lead = view! { "New here? " <a class="cs-link" href=paths::SIGN_UP>"Create a workspace"</a> }.into_any();
    view! {
        <Title text="Sign in"/>
        <AuthLayout title="Sign in" lead>
            {changed.then(|| view! { <Banner tone=Tone::Ok>"Your password is changed. Sign in with the new one."</Banner> })}
            {sent_here.then(|| view! { <p class="cs-quiet">"Your session has ended, or you have not signed in yet. Sign in, and you come back to where you were."</p> })}
            <SignInForm/>
            <ShowPasskey purpose=Purpose::SignIn label="Use a passkey" next=Signal::stored(next)/>
            <p class="cs-quiet"><a class="cs-link" href=paths::RESET>"Forgot your password?"</a></p>
            <p class="cs-quiet"><a class="cs-link" href=paths::SSO>"Sign in with your company's account"</a></p>
        </AuthLayout>
    }
}
