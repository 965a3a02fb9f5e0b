//! What is not there, in and outside of a workspace.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    paths,
    ui::{brand::Brand, button::LinkButton, icon::Symbol, note::EmptyNote},
};

const MESSAGE: &str = "The address has no page, or it was moved. Nothing is lost.";

/// Answers 404.
fn set_status() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
}

#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status();
    view! {
        <Title text="Page not found"/>
        <div class="cs-home">
            <header class="cs-home__bar"><div><Brand href=paths::HOME/></div></header>
            <main id="main">
                <EmptyNote symbol=Symbol::Search title="This page does not exist" message=MESSAGE>
                    <LinkButton href=paths::HOME>"Go to the first page"</LinkButton>
                </EmptyNote>
            </main>
        </div>
    }
}

#[component]
pub fn WorkspaceNotFoundPage() -> impl IntoView {
    set_status();
    let slug = use_slug();
    view! {
        <Title text="Page not found"/>
        <Page crumbs=vec![Crumb::here("Not found")]>
            <div class="cs-card">
                <EmptyNote symbol=Symbol::Search title="This page does not exist" message=MESSAGE>
                    <LinkButton href=Signal::derive(move || paths::workspace(&slug.get()))>"Go to the overview"</LinkButton>
                </EmptyNote>
            </div>
        </Page>
    }
}
