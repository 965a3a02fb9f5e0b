//! `/deleted/:token`

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::deletion::{CertificateContent, api},
    layout::auth::AuthLayout,
    load::load,
    ui::skeleton::{Shape, Skeleton},
};

#[component]
pub fn DeletedPage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let certificate = Resource::new(move || token.get(), api::certificate);
    view! {
        <Title text="Certificate of deletion"/>
        {load(
            certificate,
            || view! { <Skeleton shape=Shape::Title/><Skeleton shape=Shape::Row/><Skeleton shape=Shape::Row/> }.into_any(),
            |content| view! { <AuthLayout title="Certificate of deletion" lead=().into_any()>{content}</AuthLayout> }.into_any(),
            |certificate| view! { <CertificateContent certificate/> }.into_any(),
        )}
    }
}
