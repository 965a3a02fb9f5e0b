//! What lies over the pages when it is asked for: the palette and the list of keys. Their code comes when the first of them is
//! opened; until then there are the keys and the button that open them.

use leptos::prelude::*;

use super::{palette::Palette, shortcuts::Keys};
use crate::pages::{Apart, at_once, fetch};

/// Whether each is open; any part of the frame may open them.
#[derive(Clone, Copy)]
pub struct Overlays {
    pub palette: RwSignal<bool>,
    pub keys: RwSignal<bool>,
}

impl Overlays {
    /// Closed, for this component and all below it.
    pub fn provide() {
        provide_context(Self { palette: RwSignal::new(false), keys: RwSignal::new(false) });
    }
}

/// Where they are drawn.
#[component]
pub fn OverlaysOnDemand() -> impl IntoView {
    let overlays: Overlays = expect_context();
    let opened = Memo::new(move |before: Option<&bool>| {
        before.copied().unwrap_or_default() || overlays.palette.get() || overlays.keys.get()
    });
    let here = LocalResource::new(move || {
        let opened = opened.get();
        async move {
            if opened {
                fetch().await;
            }
            opened
        }
    });
    move || (here.get() == Some(true)).then(|| at_once(Apart::Overlays))
}

/// Both, when their code is there.
#[component]
pub fn OverlaysContent(slug: Memo<String>) -> impl IntoView {
    view! {
        <Palette slug/>
        <Keys/>
    }
}
