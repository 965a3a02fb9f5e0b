//! `/w/:slug/sessions`

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::{
        email_change::Forms as EmailForms,
        sessions::{
            SessionsContent,
            api::{self, ChangePassword, End, EndOthers},
        },
    },
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SessionsPage() -> impl IntoView {
    let slug = use_slug();
    let (end, end_others) = (ServerAction::<End>::new(), ServerAction::<EndOthers>::new());
    let change_password = ServerAction::<ChangePassword>::new();
    let email_forms = EmailForms::unsent();
    let email_sent = email_forms.sent();
    let query = use_query_map();
    let versions = move || (end.version().get(), end_others.version().get(), email_sent.get());
    let open = Resource::new(versions, |_| api::list());
    view! {
        <Title text="Your sessions"/>
        {load(
            open,
            || view! { <PageSkeleton figures=0 rows=4/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Your sessions")]>{content}</Page> }.into_any(),
            move |open| {
                let changed = Signal::derive(move || query.with(|query| query.get_str("changed").is_some()));
                let email_changed = Signal::derive(move || query.with(|query| query.get_str("email").is_some()));
                view! { <SessionsContent slug=slug.get_untracked() open end end_others change_password changed email_forms email_changed/> }.into_any()
            },
        )}
    }
}
