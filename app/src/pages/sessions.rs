//! `/w/:slug/sessions`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::sessions::{
        SessionsContent,
        api::{self, End, EndOthers},
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
    let open = Resource::new(move || (end.version().get(), end_others.version().get()), |_| api::list());
    view! {
        <Title text="Your sessions"/>
        {load(
            open,
            || view! { <PageSkeleton figures=0 rows=4/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Your sessions")]>{content}</Page> }.into_any(),
            move |open| view! { <SessionsContent slug=slug.get_untracked() open end end_others/> }.into_any(),
        )}
    }
}
