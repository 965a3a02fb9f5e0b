//! `/invite/:token`

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::invitation::{
        InvitationContent,
        api::{self, Accept},
    },
    layout::auth::AuthLayout,
    load::load,
    ui::skeleton::{Shape, Skeleton},
};

#[component]
pub fn InvitePage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let accept = ServerAction::<Accept>::new();
    let card = Resource::new(move || token.get(), api::find);
    view! {
        <Title text="Invitation"/>
        {load(
            card,
            || view! { <Skeleton shape=Shape::Title/><Skeleton shape=Shape::Row/><Skeleton shape=Shape::Row/> }.into_any(),
            |content| view! { <AuthLayout title="Invitation" lead=().into_any()>{content}</AuthLayout> }.into_any(),
            move |card| view! { <InvitationContent token=token.get_untracked() card accept/> }.into_any(),
        )}
    }
}
