//! `/dev/mail`: the letters of a server that sends none. It works without script, and is "not found" elsewhere.

use clarity_domain::ids::MailId;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::outbox::{OutboxContent, api},
    load::load,
    paths,
    ui::{brand::Brand, skeleton::PageSkeleton},
};

#[component]
pub fn OutboxPage() -> impl IntoView {
    let params = use_query_map();
    let asked =
        Memo::new(move |_| params.with(|params| params.get_str("mail").and_then(|id| id.parse::<MailId>().ok())));
    let outbox = Resource::new(move || asked.get(), api::read);
    view! {
        <Title text="Letters"/>
        {load(
            outbox,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Frame>{content}</Frame> }.into_any(),
            move |outbox| view! { <Frame><OutboxContent outbox asked=asked.get_untracked()/></Frame> }.into_any(),
        )}
    }
}

/// It is in no workspace, so it has no side bar.
#[component]
fn Frame(children: Children) -> impl IntoView {
    view! {
        <div class="cs-outbox">
            <Brand href=paths::HOME/>
            <main id="main" class="cs-outbox__main">{children()}</main>
        </div>
    }
}
