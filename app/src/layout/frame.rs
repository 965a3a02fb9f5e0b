//! Everything around the pages of one workspace.

use clarity_domain::ids::SupportGrantId;
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_params_map},
};

use super::{
    nav::{SideBar, TabBar},
    notes::Notes,
    overlays::{Overlays, OverlaysOnDemand},
    shortcuts, still_in,
};
use crate::{
    features::{live, session::api},
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

/// What a page's acts change of the frame: see [`follow`].
#[derive(Clone, Copy)]
struct Followed(RwSignal<Option<Memo<usize>>>);

/// Has the frame read again whenever `changes` does, as long as the page that asks is there.
pub fn follow(changes: Memo<usize>) {
    let Followed(followed) = expect_context();
    // The server reads it once.
    if cfg!(feature = "hydrate") {
        followed.set(Some(changes));
    }
}

/// What the event streams of the pages say that the frame has to know.
#[derive(Clone, Copy)]
pub struct Heard(Callback<Vec<SupportGrantId>>);

impl Heard {
    /// These grants of support are live.
    pub fn say(self, live: Vec<SupportGrantId>) {
        self.0.run(live);
    }
}

#[component]
pub fn WorkspaceFrame() -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| params.with(|params| params.get("slug").unwrap_or_default()));
    provide_context(Slug(slug));
    provide_context(Pending(RwSignal::new(false)));
    Overlays::provide();
    shortcuts::listen();
    still_in::watch(slug);
    let followed = RwSignal::new(None::<Memo<usize>>);
    provide_context(Followed(followed));
    // Read again with every page; in between when a stream says that support was let in or is out.
    let location = use_location();
    let frame = Resource::new(
        move || (slug.get(), location.pathname.get(), followed.get().and_then(|changes| changes.try_get())),
        |(slug, ..)| api::frame(slug),
    );
    let told = StoredValue::new(Vec::<SupportGrantId>::new());
    provide_context(Heard(Callback::new(move |live: Vec<SupportGrantId>| {
        if told.try_with_value(|told| *told != live) == Some(true) {
            frame.refetch();
        }
    })));
    // A frame that could not be read is drawn bare; the page inside says why.
    let side = move || {
        Suspend::new(async move {
            drawn_once().await;
            view! { <SideBar slug=slug.get_untracked() frame=frame.await.ok().map(|framed| framed.0.frame)/> }
        })
    };
    let tabs = move || {
        Suspend::new(async move {
            drawn_once().await;
            view! { <TabBar slug=slug.get_untracked() frame=frame.await.ok().map(|framed| framed.0.frame)/> }
        })
    };
    // A page that follows nothing of its own follows this: one stream, which stays open from page to page. In the browser alone,
    // where effects run.
    let framed = *frame;
    let stream = Memo::new(move |_| {
        let is_read = framed.with(|framed| matches!(framed, Some(Ok(_))));
        slug.with(|slug| location.pathname.with(|path| live::of_frame(slug, path, is_read)))
    });
    Effect::new(move |_| {
        if let Some(url) = stream.get() {
            live::follow(url, "frame", |_| {});
        }
    });
    let notes = move || {
        Suspend::new(async move {
            drawn_once().await;
            let framed = frame.await.map(|framed| framed.0);
            let (notes, support) = framed.map(|framed| (framed.notes, framed.support)).unwrap_or_default();
            told.set_value(support);
            view! { <Notes notes/> }
        })
    };
    view! {
        <a class="cs-skip" href="#main">"Skip to the content"</a>
        <div class="cs-shell">
            <Transition fallback=move || view! { <SideBar slug=slug.get_untracked() frame=None/> }>{side}</Transition>
            <div class="cs-shell__main">
                <Transition fallback=|| ()>{notes}</Transition>
                <Outlet/>
            </div>
            <Transition fallback=move || view! { <TabBar slug=slug.get_untracked() frame=None/> }>{tabs}</Transition>
        </div>
        <OverlaysOnDemand/>
    }
}
