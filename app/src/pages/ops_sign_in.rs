//! `/ops/sign-in`, and `?enrolled=1` after an account was made. Not there where the platform's own people have no doors.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::ops::{OpsFrame, SignInForm, api},
    load::load,
    paths,
    ui::{button::LinkButton, note::Banner, pill::Tone, skeleton::PageSkeleton},
};

#[component]
pub fn OpsSignInPage() -> impl IntoView {
    let enrolled = use_query_map().with_untracked(|query| query.get_str("enrolled").is_some());
    let current = Resource::new(|| (), |()| api::current());
    view! {
        <Title text="Support: sign in"/>
        {load(
            current,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            |content| view! { <OpsFrame person=None>{content}</OpsFrame> }.into_any(),
            move |person| {
                let there = person.is_some();
                view! {
                    <OpsFrame person>
                        <div class="cs-ops__form">
                            <h1>"Sign in"</h1>
                            {enrolled.then(|| view! { <Banner tone=Tone::Ok>"Your account is ready. Sign in with your password and the next code of your app."</Banner> })}
                            {there.then(|| view! { <LinkButton href=paths::OPS>"Go to the workspaces"</LinkButton> })}
                            <SignInForm/>
                        </div>
                    </OpsFrame>
                }
                .into_any()
            },
        )}
    }
}
