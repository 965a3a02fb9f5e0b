//! `/w/:slug/dead-letters`

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::dead_letters::{
        DeadLettersContent,
        api::{self, Replay},
    },
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn DeadLettersPage() -> impl IntoView {
    let slug = use_slug();
    let action = ServerAction::<Replay>::new();
    let letters = Resource::new(move || (slug.get(), action.version().get()), |(slug, _)| api::list(slug));
    let refresh = Callback::new(move |()| letters.refetch());
    view! {
        <Title text="Dead letters"/>
        {load(
            letters,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Dead letters")]>{content}</Page> }.into_any(),
            move |letters| view! { <DeadLettersContent slug=slug.get_untracked() letters action refresh/> }.into_any(),
        )}
    }
}
