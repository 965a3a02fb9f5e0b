//! One page of a workspace: the bar with where one is, then the main landmark.

use leptos::prelude::*;

use super::overlays::Overlays;
use crate::{
    load::Pending,
    ui::icon::{Icon, Symbol},
};

/// A step on the way to the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Crumb {
    name: String,
    href: Option<String>,
}

impl Crumb {
    pub fn to(name: impl Into<String>, href: String) -> Self {
        Self { name: name.into(), href: Some(href) }
    }

    /// The page itself.
    pub fn here(name: impl Into<String>) -> Self {
        Self { name: name.into(), href: None }
    }
}

#[component]
pub fn Page(
    crumbs: Vec<Crumb>,
    /// The truth badge beside the crumbs.
    #[prop(optional)]
    badge: Option<AnyView>,
    /// Buttons at the end of the bar.
    #[prop(optional)]
    acts: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let pending = use_context::<Pending>().map_or_else(|| RwSignal::new(false), |p| p.0);
    let crumbs = crumbs
        .into_iter()
        .map(|crumb| match crumb.href {
            Some(href) => view! { <li><a href=href>{crumb.name}</a></li> }.into_any(),
            None => view! { <li aria-current="page">{crumb.name}</li> }.into_any(),
        })
        .collect_view();
    view! {
        <header class="cs-top">
            <nav aria-label="Where you are"><ol class="cs-crumbs" role="list">{crumbs}</ol></nav>
            {badge}
            <div class="cs-top__acts">
                <Search/>
                {acts}
            </div>
        </header>
        <main class="cs-main" id="main" tabindex="-1" data-pending=move || pending.get().to_string() aria-busy=move || pending.get().to_string()>
            <div class="cs-page">{children()}</div>
        </main>
    }
}

/// Opens the palette.
#[component]
fn Search() -> impl IntoView {
    let overlays = use_context::<Overlays>();
    overlays.map(|Overlays { palette: open, .. }| {
        view! {
            <button class="cs-search" type="button" aria-haspopup="dialog" aria-keyshortcuts="Control+K" on:click=move |_| open.set(true)>
                <Icon symbol=Symbol::Search/>
                <span>"Search or jump to"</span>
                <kbd class="cs-kbd" aria-hidden="true">"Ctrl K"</kbd>
            </button>
        }
    })
}
