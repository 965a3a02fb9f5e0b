//! Everything around the pages of one workspace.

use clarity_domain::role::Permission;
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_params_map},
};

use super::{
    nav::{SideBar, TabBar},
    palette::{Palette, PaletteOpen},
    shortcuts::Shortcuts,
};
use crate::{
    features::{
        deletion::{self, Leaving},
        session::api,
        support::SupportBanner,
        usage::PlanNotices,
    },
    load::Pending,
    once::drawn_once,
};

/// The workspace of the path.
#[derive(Clone, Copy)]
pub struct Slug(pub Memo<String>);

/// The workspace of the path, from any page below the frame.
pub fn use_slug() -> Memo<String> {
    expect_context::<Slug>().0
}

#[component]
pub fn WorkspaceFrame() -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| params.with(|params| params.get("slug").unwrap_or_default()));
    provide_context(Slug(slug));
    provide_context(Pending(RwSignal::new(false)));
    provide_context(PaletteOpen(RwSignal::new(false)));
    let deletion = deletion::Forms::provide();
    let deletion_sent = deletion.sent();
    // Read again with every page: whoever of support is let in meanwhile is told of on the next.
    let location = use_location();
    let frame = Resource::new(
        move || (slug.get(), location.pathname.get(), deletion_sent.get()),
        |(slug, ..)| api::frame(slug),
    );
    // A frame that could not be read is drawn bare; the page inside says why.
    let side = move || {
        Suspend::new(async move {
            drawn_once().await;
            view! { <SideBar slug=slug.get_untracked() frame=frame.await.ok().map(|frame| frame.0)/> }
        })
    };
    let tabs = move || {
        Suspend::new(async move {
            drawn_once().await;
            view! { <TabBar slug=slug.get_untracked() frame=frame.await.ok().map(|frame| frame.0)/> }
        })
    };
    let leaving = move || {
        Suspend::new(async move {
            drawn_once().await;
            let frame = frame.await.ok().map(|frame| frame.0)?;
            let owner = frame.workspace.role.may(Permission::OwnWorkspace);
            let slug = slug.get_untracked();
            frame.deleted_at.map(|at| view! { <Leaving slug at owner forms=deletion/> })
        })
    };
    // Over every page, for those who can do something about it.
    let notices = move || {
        Suspend::new(async move {
            drawn_once().await;
            frame.await.ok().map(|frame| view! { <PlanNotices frame=frame.0/> })
        })
    };
    let banner = move || {
        Suspend::new(async move {
            drawn_once().await;
            let now = frame.await.map(|frame| frame.0.support).unwrap_or_default();
            view! { <SupportBanner slug=slug.get_untracked() now/> }
        })
    };
    view! {
        <a class="cs-skip" href="#main">"Skip to the content"</a>
        <div class="cs-shell">
            <Transition fallback=move || view! { <SideBar slug=slug.get_untracked() frame=None/> }>{side}</Transition>
            <div class="cs-shell__main">
                <Transition fallback=|| ()>{leaving}</Transition>
                <Transition>{notices}</Transition>
                <Transition fallback=|| ()>{banner}</Transition>
                <Outlet/>
            </div>
            <Transition fallback=move || view! { <TabBar slug=slug.get_untracked() frame=None/> }>{tabs}</Transition>
        </div>
        <Palette slug/>
        <Shortcuts/>
    }
}
