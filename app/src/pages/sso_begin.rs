//! `/sso`: where single sign-on begins, and where it says why it did not go through

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::sso::{BeginForm, api},
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::{note::Banner, pill::Tone, skeleton::PageSkeleton},
};

const TITLE: &str = "Single sign-on";

#[component]
pub fn SsoBeginPage() -> impl IntoView {
    let said = Resource::new(|| (), |()| api::said());
    let lead = || {
        view! { "With your company's account. Or " <a class="cs-link" href=paths::SIGN_IN>"use a password"</a> }
            .into_any()
    };
    view! {
        <Title text=TITLE/>
        {load(
            said,
            || view! { <PageSkeleton figures=0 rows=2/> }.into_any(),
            move |content| view! { <AuthLayout title=TITLE lead=lead()>{content}</AuthLayout> }.into_any(),
            move |said| view! {
                <AuthLayout title=TITLE lead=lead()>
                    {said.map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
                    <BeginForm/>
                </AuthLayout>
            }.into_any(),
        )}
    }
}
