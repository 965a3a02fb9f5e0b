//! `/w/:slug/sources/connect`, and `?pairing=…` once a code is out.

use clarity_domain::ids::PairingId;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    features::pairing::{
        BeginPairing, Forms, PairingContent,
        api::{self, Approve, Begin, Refuse},
    },
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    paths,
    ui::skeleton::PageSkeleton,
    wire::Wire,
};

#[component]
pub fn ConnectPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let id = Memo::new(move |_| {
        params.with(|params| params.get_str("pairing").and_then(|text| text.parse::<PairingId>().ok()))
    });
    let forms = Forms {
        begin: ServerAction::<Begin>::new(),
        approve: ServerAction::<Approve>::new(),
        refuse: ServerAction::<Refuse>::new(),
    };
    let pairing = Resource::new(
        move || (slug.get(), id.get(), forms.approve.version().get(), forms.refuse.version().get()),
        |(slug, id, ..)| async move {
            match id {
                Some(id) => api::get(slug, id).await.map(|pairing| Wire(Some(pairing.0))),
                None => Ok(Wire(None)),
            }
        },
    );
    let refresh = Callback::new(move |()| pairing.refetch());
    let crumbs =
        move || vec![Crumb::to("Sources", paths::sources(&slug.get_untracked())), Crumb::here("Connect a source")];
    view! {
        <Title text="Connect a source"/>
        {load(
            pairing,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            move |content| view! { <Page crumbs=crumbs()>{content}</Page> }.into_any(),
            move |pairing| {
                let slug = slug.get_untracked();
                match pairing {
                    Some(pairing) => view! { <PairingContent slug pairing forms refresh/> }.into_any(),
                    None => view! { <BeginPairing slug action=forms.begin/> }.into_any(),
                }
            },
        )}
    }
}
