//! `/sign-in/code`: after the password, for those who have a second factor; `?recovery=1` when their app is lost

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::session::{CodeForm, api},
    layout::auth::AuthLayout,
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
};

const TITLE: &str = "Enter your code";

#[component]
pub fn SignInCodePage() -> impl IntoView {
    let step = Resource::new(|| (), |()| api::second_step());
    let lead =
        || view! { "Your password was right. " <a class="cs-link" href=paths::SIGN_IN>"Begin again"</a> }.into_any();
    view! {
        <Title text=TITLE/>
        {load(
            step,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            move |content| view! { <AuthLayout title=TITLE lead=lead()>{content}</AuthLayout> }.into_any(),
            move |step| view! { <AuthLayout title=TITLE lead=lead()><CodeForm step/></AuthLayout> }.into_any(),
        )}
    }
}
